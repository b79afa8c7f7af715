import type { Attempt } from '@fastify-balancer/balancer-core'
import { LongPath } from './long-path.ts'
import { RecentAnswers } from './recent-answers.ts'

/** Most paths that are kept. */
const most = 256

/** A path without a long response for this long is dropped (ms). */
const remembered = 600_000

/** Without the query, and with `*` for segments with digits: `/rooms/42?since=7` → `/rooms/*`. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return (query === -1 ? url : url.slice(0, query)).replaceAll(/[^/]*\d[^/]*/g, '*')
}

/**
 * Paths that always take long, such as long polls: requests that wait there do not count against a backend. Learnt from
 * responses; while none is long, a response costs one comparison and an entry in a ring buffer.
 */
export class LongPaths {
  readonly #recent = new RecentAnswers()
  readonly #paths = new Map<string, LongPath>()
  /** Longer waits count against a backend (ms). */
  #limit = Infinity
  /** Longer responses are learnt (ms). */
  #longFrom: number

  /** `atLeast`: lower bound of the limit, in ms, used until there is one. */
  constructor(atLeast: number) {
    this.#longFrom = atLeast
  }

  /** Adds a response; returns whether its duration was usual for its path. */
  answered(attempt: Attempt, now: number): boolean {
    const { responseTime: duration, status, backend } = attempt
    const { url } = attempt.exchange
    if (duration <= this.#longFrom) {
      this.#recent.add(url, backend.id, duration)
      if (this.#paths.size > 0) this.#paths.get(pathOf(url))?.count(backend.id, false)
      return false
    }
    // A gateway timeout is not typical of a path.
    if (status >= 500) return false
    const path = pathOf(url)
    const known = this.#paths.get(path)
    const isExplained = duration > this.#limit && known?.explains(backend.id, duration) === true
    const long = known ?? this.#learn(path)
    long.count(backend.id, true)
    long.longest = Math.max(long.longest, duration)
    long.lastAt = now
    return isExplained
  }

  /** A request has waited this long (ms): is that usual for its path? */
  explains({ backend, exchange }: Attempt, waited: number): boolean {
    return this.#paths.size > 0 && this.#paths.get(pathOf(exchange.url))?.explains(backend.id, waited) === true
  }

  /** Called regularly: `limit` is the current limit for backends in ms, if known; `isEnd`: an interval has ended. */
  look(now: number, limit: number | undefined, isEnd: boolean): void {
    if (limit !== undefined) this.#limit = this.#longFrom = limit
    for (const [path, long] of this.#paths) {
      if (isEnd) long.halve()
      const isForgotten = now - long.lastAt > remembered || long.longest <= this.#longFrom || !long.isLong
      if (isForgotten) this.#paths.delete(path)
    }
  }

  #learn(path: string): LongPath {
    if (this.#paths.size >= most) this.#paths.delete(this.#paths.keys().next().value!)
    const long = new LongPath()
    this.#recent.each((url, id, duration) => {
      if (duration <= this.#longFrom && pathOf(url) === path) long.count(id, false)
    })
    this.#paths.set(path, long)
    return long
  }
}
