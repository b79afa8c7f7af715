import type { Attempt, Backend, Balancer, ExchangeView } from '@fastify-balancer/balancer-core'
import type { FiguresEvent } from './figures-event.ts'
import type { EndListener } from '../history/traffic-watch.ts'
import type { FigureSummands } from './merged-figures.ts'
import { Tally } from './tally.ts'

/** Counts the traffic of one balancer between two readings. Keeps numbers only, never an attempt or an exchange. */
export class Measurement implements EndListener {
  readonly #balancer: Balancer
  readonly #exchanges = new Tally()
  readonly #backends = new WeakMap<Backend, Tally>()
  #retries = 0
  #since: number

  constructor(balancer: Balancer) {
    this.#balancer = balancer
    this.#since = balancer.clock.now()
  }

  exchangeEnded({ status, failed, retries, startedAt }: ExchangeView, endedAt: number): void {
    this.#exchanges.add(failed, status, endedAt - startedAt)
    this.#retries += retries
  }

  attemptEnded({ backend, failed, status, startedAt, respondedAt }: Attempt): void {
    this.#of(backend).add(failed, status, respondedAt === 0 ? undefined : respondedAt - startedAt)
  }

  /** Returns the figures and starts a new period. `at` in ms since the epoch. */
  take(at: number): Omit<FiguresEvent, 'process'> {
    return this.#take(at, (tally) => tally.take())
  }

  /** The same, to be added to those of other instances. */
  takeSummands(at: number): FigureSummands {
    return this.#take(at, (tally) => tally.takeSummands())
  }

  #take<Taken>(at: number, taken: (tally: Tally) => Taken) {
    const { name, clock, exchanges, tunnels, queue, backends } = this.#balancer
    const now = clock.now()
    const seconds = (now - this.#since) / 1000
    this.#since = now
    const retries = this.#retries
    this.#retries = 0
    return {
      type: 'figures' as const,
      balancer: name,
      at,
      seconds,
      ...taken(this.#exchanges),
      retries,
      exchanges,
      tunnels: tunnels.size,
      waiting: queue.length,
      backends: backends.map((backend) =>
        Object.assign(
          { id: backend.id, inFlight: backend.inFlight, tunnels: backend.tunnels.size },
          taken(this.#of(backend)),
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
