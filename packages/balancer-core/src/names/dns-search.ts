import type { Clock } from '../clock.ts'
import type { Family } from './addresses/address.ts'
import type { Finding } from './finding.ts'
import type { Answer } from './name-servers.ts'

/** Asks a name server one question. */
export type Ask = (fullName: string, family: Family, answered: (answer: Answer) => void) => void

/** How long addresses of one family wait for those of the other (ms): the Resolution Delay of RFC 8305 §3. */
const resolutionDelay = 50

const families: readonly Family[] = [4, 6]

/**
 * Asks for both families of a name at once, and for one full name after the other until one has addresses. `tell` gets
 * the result, the last time with `isLast`; before that, the addresses of one family if the other takes long.
 */
export class DnsSearch {
  readonly #names: readonly string[]
  readonly #ask: Ask
  readonly #clock: Clock
  readonly #tell: (finding: Finding, isLast: boolean) => void
  /** State of the full name that is being asked for. */
  readonly #answers = new Map<Family, Answer>()
  #passedOver = false
  #timer: unknown
  #stopped = false

  constructor(names: readonly string[], ask: Ask, clock: Clock, tell: (finding: Finding, isLast: boolean) => void) {
    this.#names = names
    this.#ask = ask
    this.#clock = clock
    this.#tell = tell
    this.#askFor(0)
  }

  /** Later answers are ignored. */
  stop(): void {
    this.#stopped = true
    this.#clock.clearTimeout(this.#timer)
  }

  #askFor(index: number): void {
    const name = this.#names[index]
    this.#answers.clear()
    if (name === undefined) {
      this.#tell({ addresses: [], unanswered: [], passedOver: this.#passedOver }, true)
      return
    }
    for (const family of families) {
      this.#ask(name, family, (answer) => {
        if (this.#stopped) return
        this.#answers.set(family, answer)
        this.#consider(index, name)
      })
    }
  }

  #consider(index: number, name: string): void {
    const answers = [...this.#answers.values()]
    const isWhole = answers.length === families.length
    const finding = this.#finding(name)
    if (finding.addresses.length > 0) {
      this.#clock.clearTimeout(this.#timer)
      if (isWhole) this.#tell(finding, true)
      else this.#timer = this.#clock.setTimeout(() => this.#tell(finding, false), resolutionDelay)
      return
    }
    if (!isWhole) return
    const failed = answers.filter(({ addresses }) => addresses === undefined)
    // As in glibc: if a name server fails, the next name is asked for; if none responds, no other name is.
    if (failed.some(({ error }) => error?.code !== 'ESERVFAIL')) {
      this.#tell(finding, true)
      return
    }
    if (failed.length > 0) this.#passedOver = true
    this.#askFor(index + 1)
  }

  #finding(name: string): Finding {
    const answers = [...this.#answers.values()]
    const addresses = answers.flatMap((answer) => answer.addresses ?? [])
    const ttls = answers.filter((answer) => (answer.addresses ?? []).length > 0).map(({ ttl }) => ttl)
    return {
      addresses,
      ...(ttls.length > 0 && { ttl: Math.min(...ttls) }),
      fullName: name,
      unanswered: families.filter((family) => this.#answers.get(family)?.addresses === undefined),
      passedOver: this.#passedOver,
      error: answers.find(({ error }) => error !== undefined)?.error,
    }
  }
}
