import type { Backend } from '@fastify-balancer/balancer-core'
import type { Judgement } from './judgement.ts'

/** How many judgements are kept for each backend. */
const kept = 20

/** The latest judgements of each backend. */
export class History {
  readonly #judgements = new WeakMap<Backend, readonly Judgement[]>()

  add(backend: Backend, judgement: Judgement): void {
    this.#judgements.set(backend, [judgement, ...this.of(backend)].slice(0, kept))
  }

  /** The newest first, at most 20. */
  of(backend: Backend): readonly Judgement[] {
    return this.#judgements.get(backend) ?? []
  }
}
