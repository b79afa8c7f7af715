import type { Balancer } from '@fastify-balancer/balancer-core'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Keeping } from './duty.ts'
import { keeperOf, type FleetPart } from './fleet-part.ts'
import { ReportBook, type Named, type Told } from './report-book.ts'

/** Active checks, as they share their probes. */
export interface Sharer {
  /** By what they probe: see `termsOf`. */
  readonly terms: string
  /** Takes a report of another instance like one of its own; false if the backend is not in the list here. */
  take(told: Told, isKeepers: boolean): boolean
  /** The last report of a backend, unless it is old; with none given, of all. */
  latest(named?: readonly Named[]): readonly Told[]
  /** Another instance has reason to doubt that a backend is well. */
  look(id: string): void
  /** This instance has. */
  doubt(id: string): void
  keeperChanged(): void
}

interface Message {
  readonly terms: string
  readonly told: Told
}

interface Question {
  readonly terms: string
  readonly named?: readonly Named[]
}

/** Message of the channel of circuits, as far as it is read. By shape, since that package is optional. */
interface CircuitNotice {
  readonly server?: unknown
  readonly balancer: string
  readonly backend: string
  readonly state: string
}

const nobody: ReadonlyMap<string, unknown> = new Map()
const circuitChange = 'circuit-breaker:change'

/** What the instances of one balancer tell each other about its probes. */
export class SharedProbes implements Keeping {
  readonly #fleet: FleetPart
  readonly #name: string
  readonly #server: unknown
  readonly #topic: string
  readonly #book: ReportBook
  readonly #ends: (() => void)[]
  #sharer: Sharer | undefined
  #keeper: string | undefined
  #isStarted = false

  /** `server` tells the circuits of this app from those of others in the same process. */
  constructor(fleet: FleetPart, { name, clock }: Pick<Balancer, 'name' | 'clock'>, server: unknown) {
    this.#fleet = fleet
    this.#name = name
    this.#server = server
    const topic = `probes/${name}`
    this.#topic = topic
    this.#book = new ReportBook(clock)
    this.#ends = [
      fleet.tell(topic, () => this.#sharer?.terms),
      fleet.onChange(() => this.#lookForKeeper()),
      fleet.subscribe(topic, (message, from) => this.#take(message as Message, from)),
      fleet.subscribe(`${topic}/doubt`, (id) => this.#sharer?.look(id as string)),
      fleet.answer(topic, (question) => this.#answer(question as Question)),
    ]
    subscribe(circuitChange, this.#onCircuit)
  }

  /** Does this instance probe for all? */
  get isKeeper(): boolean {
    return this.#keeper === undefined || this.#keeper === this.#fleet.id
  }

  /** From now on it is known to the others by what is probed here. */
  start(): void {
    this.#isStarted = true
  }

  /** These checks share from now on, or by other terms; `undefined`: nothing is probed any more. */
  attach(sharer: Sharer | undefined): void {
    this.#sharer = sharer
    if (this.#isStarted) void this.#fleet.announce().catch(() => {})
    this.#lookForKeeper()
  }

  /** Tells the others of a probe that was made here, unless it does not count. */
  publish(terms: string, told: Told): void {
    if (told.report.inconclusive !== undefined || this.#fleet.instances.length < 2) return
    this.#fleet.publish(this.#topic, { terms, told } satisfies Message)
  }

  /** The same of a backend that may enter the list. */
  publishNewcomer(terms: string, told: Told): void {
    if (told.report.inconclusive !== undefined) return
    this.#book.add(terms, told)
    this.publish(terms, told)
  }

  /** Lets the keeper look. It may be lost. */
  doubt(id: string): void {
    if (!this.isKeeper) this.#fleet.publish(`${this.#topic}/doubt`, id)
  }

  /** What others have told of backends that are about to enter the list, or tell when they are asked. */
  async findNewcomers(terms: string, named: readonly Named[]): Promise<readonly Told[]> {
    const found = named.flatMap((one) => this.#book.get(terms, one) ?? [])
    if (found.length === named.length) return found
    const known = new Set(found.map(({ id }) => id))
    const missing = named.filter(({ id }) => !known.has(id)).map(({ id, url }) => ({ id, url }))
    return [...found, ...(await this.latest(terms, missing))]
  }

  /** The latest reports of the others, as far as they are fresh and can be had; without `named`, of all backends. */
  async latest(terms: string, named?: readonly Named[]): Promise<readonly Told[]> {
    const { id: own, instances } = this.#fleet
    const whom = instances.flatMap(({ id, about }) => (id !== own && about[this.#topic] === terms ? id : []))
    const question: Question = { terms, ...(named !== undefined && { named }) }
    // Without answers it probes for itself.
    const { answers } = await this.#fleet.ask(this.#topic, question, { whom }).catch(() => ({ answers: nobody }))
    const newest = new Map<string, Told>()
    for (const answer of answers.values())
      for (const told of answer as readonly Told[]) {
        const { age } = newest.get(told.id) ?? { age: Infinity }
        if (told.age < age) newest.set(told.id, told)
      }
    return [...newest.values()]
  }

  stop(): void {
    unsubscribe(circuitChange, this.#onCircuit)
    for (const end of this.#ends) end()
  }

  readonly #onCircuit = (message: unknown) => {
    const { server, balancer, backend, state } = message as CircuitNotice
    if (server === this.#server && balancer === this.#name && state === 'open') this.#sharer?.doubt(backend)
  }

  #lookForKeeper(): void {
    const terms = this.#sharer?.terms
    const before = this.#keeper
    const { instances, id } = this.#fleet
    this.#keeper = terms === undefined ? undefined : keeperOf(instances, this.#topic, terms, id)
    if (this.#keeper !== before) this.#sharer?.keeperChanged()
  }

  #take({ terms, told }: Message, from: string): void {
    const sharer = this.#sharer
    const isTaken = sharer?.terms === terms && sharer.take(told, from === this.#keeper)
    if (!isTaken) this.#book.add(terms, told)
  }

  #answer({ terms, named }: Question): readonly Told[] {
    const sharer = this.#sharer
    const known = sharer?.terms === terms ? sharer.latest(named) : []
    const kept = (named ?? []).flatMap((one) => this.#book.get(terms, one) ?? [])
    return [...known, ...kept]
  }
}
