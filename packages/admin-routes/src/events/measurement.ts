import type { Attempt, Backend, Balancer, ExchangeView } from '@fastify-balancer/balancer-core'
import type { FiguresEvent } from './figures-event.ts'
import { Tally } from './tally.ts'

/** Counts the traffic of one balancer between two readings. Keeps numbers only, never an attempt or an exchange. */
export class Measurement {
  readonly #balancer: Balancer
  readonly #exchanges = new Tally()
  readonly #backends = new WeakMap<Backend, Tally>()
  #retries = 0
  #since: number

  constructor(balancer: Balancer) {
    this.#balancer = balancer
    this.#since = balancer.clock.now()
  }

  /** `endedAt` on the clock: a request for a tunnel ends with its handshake. */
  exchangeEnded({ status, outcome, blame, startedAt, attempts, answeredBy }: ExchangeView, endedAt: number): void {
    const answered = outcome === 'ok' ? (answeredBy?.effectiveStatus ?? status) : status
    const failed = answered >= 500 || (outcome !== 'ok' && blame !== 'client')
    this.#exchanges.add(failed, endedAt - startedAt)
    if (attempts.length > 1) this.#retries += attempts.filter(({ hedge }) => !hedge).length - 1
  }

  attemptEnded({ backend, effectiveStatus: status, blame, startedAt, respondedAt }: Attempt): void {
    const failed = status >= 500 || blame === 'backend'
    this.#of(backend).add(failed, respondedAt === 0 ? undefined : respondedAt - startedAt)
  }

  /** Returns the figures and starts a new period. `at` in ms since the epoch. */
  take(at: number): Omit<FiguresEvent, 'process'> {
    const { name, clock, exchanges, tunnels, queue, backends } = this.#balancer
    const now = clock.now()
    const seconds = (now - this.#since) / 1000
    this.#since = now
    const retries = this.#retries
    this.#retries = 0
    return {
      type: 'figures',
      balancer: name,
      at,
      seconds,
      ...this.#exchanges.take(),
      retries,
      exchanges,
      tunnels: tunnels.size,
      waiting: queue.length,
      backends: backends.map((backend) =>
        Object.assign(
          { id: backend.id, inFlight: backend.inFlight, tunnels: backend.tunnels.size },
          this.#of(backend).take(),
        ),
      ),
    }
  }

  #of(backend: Backend): Tally {
    let tally = this.#backends.get(backend)
    if (tally === undefined) this.#backends.set(backend, (tally = new Tally()))
    return tally
  }
}
