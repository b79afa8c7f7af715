import type { LookupFunction } from 'node:net'
import type { Address } from './addresses/address.ts'
import { NameError } from './name-error.ts'

/** A name whose addresses can be looked up. */
interface Resolved {
  resolve(turn: number, callback: (error: Error | null, addresses: readonly Address[]) => void): void
  readonly name: string
}

/**
 * A `lookup` for `net.connect` and `tls.connect`, for this one name; each connection begins with the next address, and
 * with `autoSelectFamily` goes on to the others.
 */
export function lookupFunction(hostName: Resolved): LookupFunction {
  let turn = 0
  return (_hostname, { family: wanted, all }, callback) => {
    hostName.resolve(turn++, (error, addresses) => {
      const family = wanted === 'IPv4' ? 4 : wanted === 'IPv6' ? 6 : wanted
      const fitting = family === 4 || family === 6 ? addresses.filter((one) => one.family === family) : addresses
      const [first] = fitting
      const fault = error ?? (first === undefined ? new NameError('ENOTFOUND', hostName.name) : null)
      // Not within this call: the caller has not set its listeners yet.
      process.nextTick(() => {
        if (fault !== null || first === undefined) callback(fault, all === true ? [] : '')
        else if (all === true) callback(null, [...fitting])
        else callback(null, first.address, first.family)
      })
    })
  }
}
