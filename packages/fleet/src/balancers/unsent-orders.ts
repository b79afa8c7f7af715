import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { ownMember } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import type { Register } from '../registers/register.ts'
import type { SharedState } from './agreement.ts'
import { isSameOrder, orderOf } from './orders.ts'

interface SendingParts {
  readonly log: FastifyBaseLogger
  /** When it is tried again (ms). */
  readonly retryDelay: number
  /** Resolves once what is newest is in force here. */
  readonly caughtUp: () => Promise<void>
}

/** An order, as it was given last. */
interface Given {
  /** Of the list in which it was given. */
  readonly revision: number
}

/** The state with what is ordered about a backend here; undefined if it says so already, or does not have that backend. */
function withOrder(state: SharedState, backend: Backend, { revision }: Given): SharedState | undefined {
  const { id, url } = backend
  const order = orderOf(backend)
  const before = ownMember(state.orders, id)
  const { [id]: _before, ...others } = state.orders
  // It was removed meanwhile, and another one was added in its place.
  if ((ownMember(state.removed ?? {}, id) ?? 0) > revision) return undefined
  if (isSameOrder(before, order) || !state.backends.some((one) => one.id === id && one.url === url)) return undefined
  return { ...state, orders: order === undefined ? others : { ...others, [id]: order } }
}

/** Orders of this instance that the others do not have yet. They are sent until the store has them. */
export class UnsentOrders {
  readonly #balancer: Balancer
  readonly #register: Register<SharedState>
  readonly #parts: SendingParts
  readonly #unsent = new Map<Backend, Given>()
  #sending: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #isAway = false
  #isClosed = false

  constructor(balancer: Balancer, register: Register<SharedState>, parts: SendingParts) {
    this.#balancer = balancer
    this.#register = register
    this.#parts = parts
  }

  has(backend: Backend): boolean {
    return this.#unsent.has(backend)
  }

  /** Something was ordered about this backend. Resolves once the others have been told, or it is known that they cannot be. */
  add(backend: Backend): Promise<void> {
    this.#unsent.set(backend, { revision: this.#balancer.set.revision })
    return this.#send()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retry)
  }

  #send(): Promise<void> {
    return (this.#sending = this.#sending.then(async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they were given
      for (const [backend, given] of this.#unsent) await this.#sendOne(backend, given)
    }))
  }

  async #sendOne(backend: Backend, given: Given): Promise<void> {
    if (this.#isClosed) return
    try {
      // What the others did before comes first: the backend may be gone.
      await this.#parts.caughtUp()
      await this.#register.change((now) =>
        now === undefined || !this.#balancer.has(backend) ? undefined : withOrder(now, backend, given),
      )
      this.#isAway = false
      if (this.#unsent.get(backend) === given) this.#unsent.delete(backend)
      // Others may have ordered something meanwhile.
      await this.#parts.caughtUp()
    } catch (error) {
      this.#onFailure(backend, error)
    }
  }

  #onFailure({ id, state }: Backend, error: unknown): void {
    if (this.#isClosed) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.#send(), this.#parts.retryDelay).unref()
    if (this.#isAway) return
    this.#isAway = true
    this.#parts.log.error(
      { err: error, balancer: this.#balancer.name, backend: id },
      `backend ${id}: the other instances do not know yet that it is '${state}'`,
    )
  }
}
