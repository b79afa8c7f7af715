import type { LookupAddress } from 'node:dns'
import dns from 'node:dns/promises'
import type { LookupFunction } from 'node:net'

/** Addresses are looked up again after this time (ms). */
const freshness = 10_000

/**
 * The look-up in progress. There is one at a time in this process: each occupies one of libuv's threads (four by
 * default), and all of them would wait for a name server that does not answer, while originals need them as well.
 */
let last: Promise<unknown> = Promise.resolve()

function inTurn(name: string): Promise<LookupAddress[]> {
  const own = last.then(() => dns.lookup(name, { all: true, verbatim: true }))
  last = own.catch(() => {})
  return own
}

/**
 * A `lookup` for `net.connect` and `tls.connect`, for this one name. Once the addresses are known, no connection waits
 * for the name server: they are used until it tells others. `now` is a clock, in ms.
 */
export function lookupOf(name: string, now: () => number): LookupFunction {
  let known: readonly LookupAddress[] = []
  let knownAt = 0
  let asking: Promise<void> | undefined
  const ask = () =>
    (asking ??= inTurn(name)
      .then((addresses) => {
        known = addresses
        knownAt = now()
      })
      .finally(() => (asking = undefined)))
  return (_hostname, { all }, callback) => {
    const answer = () => {
      const [first] = known
      if (all === true) callback(null, [...known])
      else callback(null, first!.address, first!.family)
    }
    if (known.length === 0) {
      ask().then(answer, (error: Error) => callback(error, []))
      return
    }
    if (now() - knownAt > freshness) ask().catch(() => {})
    // Not within this call: the caller has not set its listeners yet.
    process.nextTick(answer)
  }
}
