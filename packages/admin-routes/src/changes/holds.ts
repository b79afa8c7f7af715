import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { isDeepStrictEqual } from 'node:util'
import type { Extensions, Hold } from '../extensions.ts'
import type { Register } from '../instances/fleet.ts'
import type { Instances } from '../instances/instances.ts'
import { carryOut } from './orders.ts'

/** What an operator has ordered about a circuit. Plain data. */
export interface HoldOrder {
  readonly state: 'open' | 'closed' | 'auto'
  readonly reason: string
  readonly who?: string
  /** How long it holds (ms); until released if not given. */
  readonly ttl?: number
}

/** The last order about a circuit, and which backend it was about: another one may have its id by now. */
type SharedHold = Omit<HoldOrder, 'ttl'> & {
  readonly url: string
  readonly number: number
  /** When it ends by itself (ms since the epoch). */
  readonly until?: number
}

/** By the ids of backends. */
type SharedHolds = Readonly<Record<string, SharedHold>>

/** What was carried out here. */
interface Held {
  readonly hold: Hold | undefined
  readonly order: SharedHold | undefined
}

/** Circuits that operators hold, in all instances. The next order replaces a hold; holds by others stay. */
export class Holds {
  readonly #instances: Instances
  readonly #extensions: Extensions
  readonly #held = new WeakMap<Backend, Held>()

  constructor(instances: Instances, extensions: Extensions, balancers: ReadonlyMap<string, Balancer>) {
    this.#instances = instances
    this.#extensions = extensions
    instances.answer('holds', async (name: string) => {
      const balancer = balancers.get(name)
      if (balancer !== undefined) await this.follow(balancer)
      return true
    })
  }

  /** Takes what operators hold in other instances, now and from now on. */
  async join(balancer: Balancer): Promise<void> {
    const register = this.#register(balancer)
    if (register === undefined) return
    const look = () => this.#apply(balancer, register)
    register.onChange(look)
    balancer.addHook('onBackendsChange', function adminRoutes() {
      look()
    })
    await this.follow(balancer)
  }

  /** Takes what is newest. */
  async follow(balancer: Balancer): Promise<void> {
    const register = this.#register(balancer)
    await register?.read()
    if (register !== undefined) this.#apply(balancer, register)
  }

  /** Carries out an order here and in all other instances; answers the ids of those that have not confirmed it. */
  async order(balancer: Balancer, backend: Backend, order: HoldOrder): Promise<readonly string[]> {
    const register = this.#register(balancer)
    if (register === undefined) {
      this.#carryOut(balancer, backend, order, undefined)
      return []
    }
    const { id, url } = backend
    const { ttl, ...rest } = order
    const end = ttl === undefined ? {} : { until: Date.now() + ttl }
    await register.change((now = {}) => {
      const number = Math.max(0, ...Object.values(now).map((one) => one.number)) + 1
      const others = Object.entries(now).filter(([, { until = Infinity }]) => until > Date.now())
      return { ...Object.fromEntries(others), [id]: { ...rest, ...end, url, number } }
    })
    this.#apply(balancer, register)
    return (await this.#instances.ask('holds', balancer.name)).missing
  }

  #register({ name }: Balancer): Register<SharedHolds> | undefined {
    return this.#instances.fleet?.register<SharedHolds>(`holds/${name}`)
  }

  #apply(balancer: Balancer, register: Register<SharedHolds>): void {
    if (this.#extensions.breaker(balancer.name) === undefined) return
    for (const [id, order] of Object.entries(register.newest?.value ?? {})) {
      const backend = balancer.backends.find((one) => one.id === id)
      if (backend === undefined || backend.url !== order.url) continue
      const { until = Infinity, state, reason, who } = order
      const ttl = until - Date.now()
      if (ttl <= 0 || isDeepStrictEqual(this.#held.get(backend)?.order, order)) continue
      const terms = { ...(ttl < Infinity && { ttl }), ...(who !== undefined && { who }) }
      this.#carryOut(balancer, backend, { state, reason, ...terms }, order)
    }
  }

  #carryOut(balancer: Balancer, backend: Backend, order: HoldOrder, shared: SharedHold | undefined): void {
    const breaker = this.#extensions.breaker(balancer.name)!
    const { id } = backend
    carryOut(balancer, backend, () => {
      const earlier = this.#held.get(backend)
      const { state, ...terms } = order
      if (state === 'auto') {
        breaker.release(id)
        this.#held.set(backend, { hold: undefined, order: shared })
      } else {
        this.#held.set(backend, { hold: breaker.hold(id, state, terms), order: shared })
      }
      // Afterwards, so that no request slips through in between.
      earlier?.hold?.release()
    })
  }
}
