import type { Attempt, Backend, BackendSet, Balancer } from '@fastify-balancer/balancer-core'
import { channels } from '@fastify-balancer/balancer-core/exchange-rules'

/** What one backend got. */
interface Use {
  /** Attempts after the warm-up. */
  attempts: number
  /** It is among those that a policy may pick. */
  isAvailable: boolean
  /** Since when it could have had another one, on the clock in ms; Infinity while it cannot. */
  since: number
  /** The longest time in which it could have had one and did not, in ms. */
  starved: number
}

const hasRoom = ({ inFlight, limit }: Backend) => inFlight < limit

/** Which backends get how much, and how long those that can be used get nothing. */
export class Usage {
  readonly #balancer: Balancer
  readonly #begin: number
  readonly #uses = new Map<Backend, Use>()

  /** `begin`: from when on it counts, on the clock in ms. */
  constructor(balancer: Balancer, begin: number) {
    this.#balancer = balancer
    this.#begin = begin
    for (const backend of balancer.set.available) Object.assign(this.#of(backend), { isAvailable: true, since: begin })
    balancer.addHook('onAttemptStart', this.#started).addHook('onAttemptEnd', this.#ended)
    channels.backendsChange.subscribe(this.#changed)
  }

  /** The time is over: what has lasted until now counts. */
  stop(): void {
    channels.backendsChange.unsubscribe(this.#changed)
    for (const use of this.#uses.values()) this.#gap(use)
  }

  /** By the names of backends, also of those that have left. */
  get byName(): ReadonlyMap<string, Readonly<Use>> {
    return new Map([...this.#uses].map(([{ id }, use]) => [id, use]))
  }

  readonly #started = ({ backend }: Attempt): void => {
    const use = this.#of(backend)
    const now = this.#balancer.clock.now()
    if (now >= this.#begin) use.attempts++
    this.#gap(use)
    // One of another priority may get what the policy cannot place, but it has no claim to that.
    use.since = use.isAvailable && hasRoom(backend) ? now : Infinity
  }

  readonly #ended = ({ backend }: Attempt): void => {
    const use = this.#of(backend)
    if (use.since === Infinity && use.isAvailable) use.since = this.#balancer.clock.now()
  }

  readonly #changed = (message: unknown): void => {
    const { balancer, now } = message as { readonly balancer: unknown; readonly now: BackendSet }
    if (balancer !== this.#balancer) return
    const available = new Set(now.available)
    for (const [backend, use] of this.#uses) {
      if (available.has(backend)) continue
      this.#gap(use)
      use.isAvailable = false
      use.since = Infinity
    }
    for (const backend of available) {
      const use = this.#of(backend)
      use.isAvailable = true
      if (use.since === Infinity && hasRoom(backend)) use.since = this.#balancer.clock.now()
    }
  }

  #gap(use: Use): void {
    const now = this.#balancer.clock.now()
    const lasted = now - Math.max(use.since, this.#begin)
    if (lasted > use.starved) use.starved = lasted
  }

  #of(backend: Backend): Use {
    let use = this.#uses.get(backend)
    if (use === undefined)
      this.#uses.set(backend, (use = { attempts: 0, isAvailable: false, since: Infinity, starved: 0 }))
    return use
  }
}
