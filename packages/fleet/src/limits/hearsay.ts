import { ownMember } from '@fastify-balancer/option-schema'

/** What an instance tells of one backend: how many requests it could have in flight; and what was found to be the most for all. */
export type Told = readonly [wants: number, capacity: number]

/** What an instance tells the others now and then. What is not named, it does not want. */
export interface LimitHint {
  readonly backends: Readonly<Record<string, Told>>
}

const nothing: Told = [0, 0]

interface Heard {
  readonly at: number
  readonly hint: LimitHint
}

/** What the others have told of late. */
export class Hearsay {
  readonly #heard = new Map<string, Heard>()
  readonly #keeps: number
  readonly #now: () => number

  /** `keeps`: for how long (ms) something is taken to be true. */
  constructor(keeps: number, now: () => number) {
    this.#keeps = keeps
    this.#now = now
  }

  hear(from: string, hint: LimitHint): void {
    this.#heard.set(from, { at: this.#now(), hint })
  }

  /** Only these instances are left. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#heard.keys()) if (!ids.has(id)) this.#heard.delete(id)
  }

  /**
   * One that has told nothing of late is taken to want nothing. That takes nothing from it: it alone gives what it has, and
   * only what is free can be taken.
   */
  of(id: string, backend: string): Told {
    const heard = this.#heard.get(id)
    if (heard === undefined || this.#now() - heard.at > this.#keeps) return nothing
    return ownMember(heard.hint.backends, backend) ?? nothing
  }
}
