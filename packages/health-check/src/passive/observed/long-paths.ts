import type { Attempt } from '@fastify-balancer/balancer-core'
import { LongPath } from './long-path.ts'
import { RecentAnswers } from './recent-answers.ts'

/** How many paths are known at most. */
const most = 256

/** One that has given no long answer for so long is forgotten (ms). */
const remembered = 600_000

/** Without the query, and with `*` in place of what holds digits: `/rooms/42?since=7` → `/rooms/*`. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return (query === -1 ? url : url.slice(0, query)).replaceAll(/[^/]*\d[^/]*/g, '*')
}

/**
 * Which paths take long by themselves, as long polls do: who waits there says nothing about the backend. Learnt from
 * answers; as long as none is long, an answer costs one comparison, and being noted down.
 */
export class LongPaths {
  readonly #recent = new RecentAnswers()
  readonly #paths = new Map<string, LongPath>()
  /** What takes longer is held against a backend (ms). */
  #limit = Infinity
  /** What takes longer is learnt (ms). */
  #longFrom: number

  /** `atLeast` is less than any limit will be, in ms: it serves until there is one. */
  constructor(atLeast: number) {
    this.#longFrom = atLeast
  }

  /** An answer has come; tells whether how long it took was known to be its path's own way. */
  answered(attempt: Attempt, now: number): boolean {
    const { responseTime: duration, status, backend } = attempt
    const { url } = attempt.exchange
    if (duration <= this.#longFrom) {
      this.#recent.add(url, backend.id, duration)
      if (this.#paths.size > 0) this.#paths.get(pathOf(url))?.count(backend.id, false)
      return false
    }
    // That a gateway has waited in vain is no way of a path.
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

  /** One waits for so many ms: is it known that its path takes that long? */
  explains({ backend, exchange }: Attempt, waited: number): boolean {
    return this.#paths.size > 0 && this.#paths.get(pathOf(exchange.url))?.explains(backend.id, waited) === true
  }

  /** Time has passed: `limit` is what a backend is held to now, in ms, if it is known; `isEnd`: so is the interval. */
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
