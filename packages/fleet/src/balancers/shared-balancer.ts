import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import type { Fleet, SharedList } from '../instances/fleet.ts'
import type { Register } from '../registers/register.ts'
import { Agreement, type SharedState } from './agreement.ts'
import { Confirmations } from './confirmations.ts'
import { follow, ordersOf } from './orders.ts'
import { digestOf, digestOfList, recognised } from './shared-list.ts'
import { UnsentOrders } from './unsent-orders.ts'

/** What one instance of a balancer shares with the others. */
export class SharedBalancer implements SharedList {
  readonly #balancer: Balancer
  readonly #log: FastifyBaseLogger
  readonly #register: Register<SharedState>
  readonly #confirmations: Confirmations
  readonly #agreement: Agreement
  readonly #unsent: UnsentOrders
  readonly #retryDelay: number
  #retry: NodeJS.Timeout | undefined
  #sharing: Promise<unknown> = Promise.resolve()
  #isFollowing = false
  #following: Promise<void> = Promise.resolve()
  /** Of the list, by what it is a digest of. */
  #digest: { readonly listed: Balancer['listed']; readonly digest: string } | undefined

  constructor(fleet: Fleet, balancer: Balancer, log: FastifyBaseLogger) {
    this.#balancer = balancer
    this.#log = log
    this.#retryDelay = fleet.heartbeat
    this.#register = fleet.register<SharedState>(`balancers/${balancer.name}`)
    this.#confirmations = new Confirmations(fleet, this.#register.key)
    this.#agreement = new Agreement(balancer, this.#register, {
      isSuccessor: () => fleet.isSuccessor,
      settled: (version) => this.#confirmations.wait(version),
      onUnshared: (error) => this.#onUnshared(error),
    })
    this.#unsent = new UnsentOrders(balancer, this.#register, {
      log,
      retryDelay: this.#retryDelay,
      caughtUp: () => this.#follow(),
    })
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

  async takeOver(): Promise<void> {
    await this.#balancer.agreeBy(this.#agreement)
    await this.unconfirmed()
  }

  /** Takes what the others have agreed on, or begins with what is here. */
  async join(): Promise<void> {
    const balancer = this.#balancer
    this.#register.onChange(() => void this.#follow())
    await balancer.agreeBy(this.#agreement)
    const ordered = (backend: Backend) => {
      if (!this.#isFollowing) this.#sharing = this.#unsent.add(backend)
    }
    balancer.addHook('onOrder', function fleet(backend) {
      ordered(backend)
    })
    await this.#follow()
  }

  /** Nothing more is shared. */
  close(): void {
    clearTimeout(this.#retry)
    this.#unsent.close()
  }

  inForce(): { readonly revision: number; readonly digest: string } {
    const { set, listed } = this.#balancer
    const { revision } = set
    if (this.#digest?.listed !== listed) this.#digest = { listed, digest: digestOfList(listed) }
    return { revision, digest: digestOf([revision, this.#digest.digest, ordersOf(this.#balancer)]) }
  }

  /** Puts in force what is newest, one after the other. */
  #follow(): Promise<void> {
    return (this.#following = this.#following.then(async () => {
      const balancer = this.#balancer
      const entry = this.#register.newest
      if (entry === undefined) return
      const { version, value } = entry
      try {
        if (value.revision > balancer.set.revision) await balancer.adopt(recognised(value, balancer))
        this.#followOrders()
        this.#confirmations.confirm(version)
      } catch (error) {
        this.#log.error(
          { err: error, balancer: balancer.name },
          `balancer '${balancer.name}': revision ${value.revision} of another instance cannot be used here`,
        )
      }
    }))
  }

  #followOrders(): void {
    const { newest } = this.#register
    // Of another list, their backends may be others: they come with it.
    if (newest?.value.revision !== this.#balancer.set.revision) return
    this.#isFollowing = true
    try {
      // What was ordered here meanwhile comes after it.
      follow(this.#balancer, newest.value.orders, this.#unsent)
      // Reading it publishes the changes of vetoes.
      void this.#balancer.set
    } finally {
      this.#isFollowing = false
    }
  }

  /** Tells the others later of a list that is in force here already. */
  #onUnshared(error: unknown): void {
    const { name } = this.#balancer
    this.#log.error(
      { err: error, balancer: name },
      `balancer '${name}': the other instances do not have its new list yet`,
    )
    this.#rejoinLater()
  }

  #rejoinLater(): void {
    clearTimeout(this.#retry)
    const rejoin = () => this.#balancer.agreeBy(this.#agreement).catch(() => this.#rejoinLater())
    this.#retry = setTimeout(() => void rejoin(), this.#retryDelay).unref()
  }
}
