import type { Backend, Balancer } from '@fastify-balancer/balancer-core'
import { ownMember } from '@fastify-balancer/option-schema'
import type { Fleet } from '../instances/fleet.ts'
import type { Register } from '../registers/register.ts'
import { correct, type Holder } from './correction.ts'
import { Demand } from './demand.ts'
import { Hearsay, type LimitHint, type Told } from './hearsay.ts'

/** How often this instance looks at what is in flight, and after how many looks it corrects its shares. */
const look = 100
const looks = 10
/** What others have told holds for this time (ms): three corrections. */
const keeps = 3 * look * looks

/** Under which name a balancer knows these limits. */
const owner = 'fleet'

/** By backend and instance: the most requests that this one may have in flight there. */
type Ledger = Readonly<Record<string, Readonly<Record<string, number>>>>

function holding(ledger: Ledger, { id }: Backend, instance: string): number | undefined {
  return ownMember(ownMember(ledger, id) ?? {}, instance)
}

/**
 * The part of this instance in what all together may have in flight to the backends of one balancer: in `maxInFlight`, or
 * in what other extensions have found to be the most. A ledger that all share says what each may use; every instance
 * changes only what it says of itself. What each needs is told by hints: one that is lost delays a correction.
 */
export class DividedLimits {
  readonly #fleet: Fleet
  readonly #balancer: Balancer
  readonly #register: Register<Ledger>
  readonly #demand: Demand
  readonly #hearsay: Hearsay
  readonly #topic: string
  readonly #inForce = new WeakMap<Backend, number>()
  #looks = 0
  #timer: unknown
  #stops: (() => void)[] = []
  #isChanging = false
  #isDue = false
  #isClosed = false

  constructor(fleet: Fleet, balancer: Balancer) {
    this.#fleet = fleet
    this.#balancer = balancer
    this.#topic = `limits/${balancer.name}`
    this.#register = fleet.register<Ledger>(this.#topic)
    this.#demand = new Demand(balancer)
    this.#hearsay = new Hearsay(keeps, () => balancer.clock.now())
  }

  /** From now on, this instance has its part only. */
  async join(): Promise<void> {
    const { clock } = this.#balancer
    await this.#register.read()
    const ledgerChanged = () => this.#correct()
    this.#stops = [
      this.#register.onChange(ledgerChanged),
      this.#fleet.onChange(() => this.#correct()),
      this.#fleet.subscribe(this.#topic, (hint, from) => {
        this.#hearsay.hear(from, hint as LimitHint)
        this.#correct()
      }),
    ]
    this.#balancer.addHook('onBackendsChange', function fleet() {
      ledgerChanged()
    })
    const next = () => {
      this.#look()
      if (!this.#isClosed) this.#timer = clock.setTimeout(next, look)
    }
    this.#timer = clock.setTimeout(next, look)
    this.#correct()
  }

  close(): void {
    this.#isClosed = true
    this.#balancer.clock.clearTimeout(this.#timer)
    for (const stop of this.#stops) stop()
  }

  #look(): void {
    this.#demand.sample()
    if (++this.#looks < looks) return
    this.#looks = 0
    const told = this.#balancer.backends.map((backend): [string, Told] => [
      backend.id,
      [this.#demand.wants(backend), backend.limitBeside(owner)],
    ])
    const backends = Object.fromEntries(told.filter(([, [wants]]) => wants > 0))
    this.#fleet.publish(this.#topic, { backends } satisfies LimitHint)
    this.#correct()
    this.#demand.turn()
  }

  /** Gives at once what others need more, takes what is free, and writes that down. */
  #correct(): void {
    if (this.#isClosed) return
    this.#hearsay.keepOnly(new Set(this.#fleet.others))
    this.#enforce()
    this.#isDue = this.#isChanging
    if (this.#isChanging) return
    this.#isChanging = true
    void this.#register
      .change((ledger = {}) => this.#next(ledger))
      // The store cannot be reached: what each has stays as it is.
      .catch(() => {})
      .finally(() => {
        this.#isChanging = false
        if (this.#isDue) this.#correct()
        else this.#enforce()
      })
  }

  /** Never more than the ledger says. Of one that it does not know, there is none yet: 1, the least that is possible. */
  #enforce(): void {
    if (this.#isClosed) return
    const ledger = this.#register.newest?.value ?? {}
    for (const backend of this.#balancer.backends) {
      const granted = holding(ledger, backend, this.#fleet.id) ?? 1
      this.#limit(backend, Math.min(granted, this.#correction(backend, ledger).limit))
    }
  }

  #limit(backend: Backend, limit: number): void {
    const before = this.#inForce.get(backend)
    // What is about to be given back must not be used again.
    if (limit === before || (this.#isChanging && limit > (before ?? 1))) return
    this.#inForce.set(backend, limit)
    this.#balancer.limit(backend, limit, owner)
  }

  /** The ledger as it should be; undefined if it is. */
  #next(ledger: Ledger): Ledger | undefined {
    const { id: own, others } = this.#fleet
    const live = new Set(others)
    const next = new Map<string, Record<string, number>>()
    // Another instance may know of backends that are new.
    for (const [backend, holders] of Object.entries(ledger)) {
      const rest = Object.entries(holders).filter(([id]) => live.has(id))
      if (rest.length > 0) next.set(backend, Object.fromEntries(rest))
    }
    let isOther = false
    for (const backend of this.#balancer.backends) {
      const { granted } = this.#correction(backend, ledger)
      const before = holding(ledger, backend, own) ?? 1
      if (granted < before) this.#limit(backend, granted)
      next.set(backend.id, { ...next.get(backend.id), [own]: granted })
      isOther ||= holding(ledger, backend, own) !== granted
    }
    return isOther ? Object.fromEntries(next) : undefined
  }

  #correction(backend: Backend, ledger: Ledger) {
    const { id: own, instances } = this.#fleet
    const holders = ownMember(ledger, backend.id) ?? {}
    const others = instances.flatMap(({ id, state }): Holder | [] => {
      const granted = ownMember(holders, id)
      if (id === own || granted === undefined) return []
      const [wants] = this.#hearsay.of(id, backend.id)
      return { id, granted, wants, takesRest: state !== 'draining' }
    })
    const isDraining = instances.find(({ id }) => id === own)?.state === 'draining'
    const wants = this.#demand.wants(backend)
    const self = { id: own, granted: ownMember(holders, own) ?? 0, wants, takesRest: !isDraining }
    return correct({ total: this.#total(backend, others, wants), self, others, inFlight: backend.inFlight })
  }

  /** What all have found, on average: the more an instance sends, the better it knows. */
  #total(backend: Backend, others: readonly Holder[], wants: number): number {
    let weights = 1 + wants
    let sum = backend.limitBeside(owner) * weights
    for (const { id } of others) {
      const [weight, capacity] = this.#hearsay.of(id, backend.id)
      weights += weight
      sum += weight * capacity
    }
    return Math.max(1, Math.min(backend.maxInFlight, Math.floor(sum / weights)))
  }
}
