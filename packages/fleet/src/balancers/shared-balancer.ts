import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import { isDeepStrictEqual } from 'node:util'
import type { Fleet, SharedList } from '../instances/fleet.ts'
import type { Register } from '../registers/register.ts'
import { Agreement, digestOf, shareable, type SharedState } from './agreement.ts'
import { Confirmations } from './confirmations.ts'
import { follow, orderOf, ordersOf } from './orders.ts'

/** The `cause` of list changes that another instance has made. */
export const elsewhere = Symbol.for('@fastify-balancer/fleet.elsewhere')

/** What one instance of a balancer shares with the others. */
export class SharedBalancer implements SharedList {
  readonly #balancer: Balancer
  readonly #log: FastifyBaseLogger
  readonly #register: Register<SharedState>
  readonly #confirmations: Confirmations
  /** Orders of this instance that the others do not have yet. */
  #unsent = 0
  #sharing: Promise<unknown> = Promise.resolve()
  #isFollowing = false
  #following: Promise<void> = Promise.resolve()

  constructor(fleet: Fleet, balancer: Balancer, log: FastifyBaseLogger) {
    this.#balancer = balancer
    this.#log = log
    this.#register = fleet.register<SharedState>(`balancers/${balancer.name}`)
    this.#confirmations = new Confirmations(fleet, this.#register.key)
    fleet.tell(`list/${balancer.name}`, () => this.inForce())
    fleet.share(balancer.name, this)
  }

  get isFollowing(): boolean {
    return this.#isFollowing
  }

  async caughtUp(): Promise<void> {
    await this.#register.read()
    await this.#follow()
  }

  async unconfirmed(): Promise<readonly string[]> {
    await this.#sharing
    const version = this.#register.newest?.version ?? 0
    await this.#confirmations.wait(version)
    return this.#confirmations.late(version)
  }

  /** Takes what the others have agreed on, or begins with what is here. */
  async join(): Promise<void> {
    const balancer = this.#balancer
    const register = this.#register
    const configured = () => digestOf(balancer.options.backends)
    const agreement = new Agreement(register, configured, (version) => this.#confirmations.wait(version))
    const now = await register.read()
    const { revision } = balancer.set
    if (now === undefined) {
      const own = {
        revision,
        backends: shareable(balancer.listed),
        orders: ordersOf(balancer),
        configured: configured(),
      }
      await register.set(0, own)
    } else if (now.value.configured !== configured()) {
      const { backends: listed } = balancer.options
      await agreement.propose({ listed, base: now.value.revision, above: 0, deadline: undefined })
    }
    register.onChange(() => void this.#follow())
    await register.read()
    await this.#follow(true)
    balancer.agreeBy(agreement)
    const ordered = (backend: Backend) => this.#share(backend)
    balancer.addHook('onOrder', function fleet(backend) {
      ordered(backend)
    })
  }

  inForce(): { readonly revision: number; readonly digest: string } {
    const { set, listed } = this.#balancer
    const { revision } = set
    return { revision, digest: digestOf([revision, shareable(listed), ordersOf(this.#balancer)]) }
  }

  /** Puts in force what is newest, one after the other. */
  #follow(isJoining = false): Promise<void> {
    return (this.#following = this.#following.then(async () => {
      const entry = this.#register.newest
      if (entry === undefined) return
      const { version, value } = entry
      try {
        const isNewer = value.revision > this.#balancer.set.revision
        if (isNewer || (isJoining && !isDeepStrictEqual(value.backends, shareable(this.#balancer.listed))))
          await this.#balancer.adopt(value, elsewhere)
        this.#followOrders(value)
        this.#confirmations.confirm(version)
      } catch (error) {
        this.#log.error(
          { err: error, balancer: this.#balancer.name },
          `balancer '${this.#balancer.name}': revision ${value.revision} of another instance cannot be used here`,
        )
      }
    }))
  }

  #followOrders({ orders }: SharedState): void {
    // What was ordered here meanwhile comes after it.
    if (this.#unsent > 0) return
    this.#isFollowing = true
    follow(this.#balancer, orders)
    // Reading it publishes the changes of vetoes.
    void this.#balancer.set
    this.#isFollowing = false
  }

  /** Tells the others of an order. */
  #share(backend: Backend): void {
    if (this.#isFollowing) return
    this.#unsent++
    const { id } = backend
    const sharing = this.#register
      .change((now) => {
        if (now === undefined) return undefined
        const { [id]: _, ...others } = now.orders
        const order = orderOf(backend)
        return { ...now, orders: order === undefined ? others : { ...others, [id]: order } }
      })
      .catch((error: unknown) =>
        this.#log.error(
          { err: error, balancer: this.#balancer.name, backend: id },
          `backend ${id}: the other instances do not know that it is '${backend.state}'`,
        ),
      )
      .finally(() => {
        this.#unsent--
        void this.#follow()
      })
    this.#sharing = Promise.all([this.#sharing, sharing])
  }
}
