import type { LookupFunction } from 'node:net'
import type { Address } from './addresses/address.ts'
import { NameError } from './name-error.ts'

/** A name, as far as its addresses can be asked for. */
interface Resolved {
  resolve(turn: number, callback: (error: Error | null, addresses: readonly Address[]) => void): void
  readonly name: string
}

/**
 * What `net.connect` and `tls.connect` take as `lookup`, for this one name; each connection begins with the next of its
 * addresses, and with `autoSelectFamily` goes on to the others.
 */
export function lookupFunction(hostName: Resolved): LookupFunction {
  let turn = 0
  return (_hostname, { family: wanted, all }, callback) => {
    hostName.resolve(turn++, (error, addresses) => {
      const family = wanted === 'IPv4' ? 4 : wanted === 'IPv6' ? 6 : wanted
      const fitting = family === 4 || family === 6 ? addresses.filter((one) => one.family === family) : addresses
      const [first] = fitting
      const fault = error ?? (first === undefined ? new NameError('ENOTFOUND', hostName.name) : null)
      // Not in this call: whoever connects has not yet set its listeners.
      process.nextTick(() => {
        if (fault !== null || first === undefined) callback(fault, all === true ? [] : '')
        else if (all === true) callback(null, [...fitting])
        else callback(null, first.address, first.family)
      })
    })
  }
}
