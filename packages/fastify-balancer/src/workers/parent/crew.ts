// Room `workers/parent`: the process that starts the workers, replaces those that die, and keeps what they share.
import type { Clock } from '@fastify-balancer/balancer-core'
import type { Refusal } from '../channel/messages.ts'
import type { Hands, Member } from './member.ts'
import { placesFor, type Place } from './place.ts'

/** A rolling restart that is under way. */
interface Restart {
  readonly generation: number
  readonly places: readonly Place[]
  readonly timer: unknown
  readonly end: (fault: string | undefined) => void
}

/** The next generation may take so long to listen (ms). */
const longestStart = 60_000
/** One that does not listen yet may take so long to stop (ms); one that does, so much longer than its drain deadline. */
const grace = 5000

/** All workers, and what is to be done about them. It knows nothing of processes: see `Hands`. */
export class Crew {
  readonly #clock: Clock
  readonly #hands: Hands
  readonly #members = new Map<number, { member: Member; drainDeadline: number; timer: unknown }>()
  #phase: 'new' | 'starting' | 'running' | 'stopping' | 'over' = 'new'
  /** The one that serves. */
  #generation = 1
  #lastGeneration = 1
  #places: readonly Place[] = []
  #restart: Restart | undefined
  #refusal: Refusal | undefined
  #exitCode = 0
  #last = 0

  constructor(hands: Hands, clock: Clock) {
    this.#hands = hands
    this.#clock = clock
  }

  get members(): readonly Member[] {
    return [...this.#members.values()].map(({ member }) => member)
  }

  /** Those that serve, and will go on to. */
  get ready(): readonly Member[] {
    return this.members.filter(({ state, generation }) => state === 'ready' && generation === this.#generation)
  }

  /** Is it of those that serve, and not of those that are to take their place? */
  serves({ generation }: Member): boolean {
    return generation === this.#generation
  }

  /** How many there are to be of its generation. */
  wanted(member: Member): number {
    const { length } = this.isNext(member) ? this.#restart!.places : this.#places
    return length
  }

  /** All have listened, once. */
  get hasBegun(): boolean {
    return this.#phase !== 'new' && this.#phase !== 'starting'
  }

  get isStopping(): boolean {
    return this.#phase === 'stopping' || this.#phase === 'over'
  }

  /** Is it of the generation that is to take over? */
  isNext({ generation }: Member): boolean {
    return generation === this.#restart?.generation
  }

  /** Starts so many workers. */
  begin(count: number): void {
    this.#phase = 'starting'
    this.#places = placesFor(count)
    for (const place of this.#places) this.#start(place, this.#generation)
  }

  /** It listens; `drainDeadline`: how long it may take to stop (ms), 0 = for ever. */
  listens(number: number, drainDeadline: number): void {
    const known = this.#members.get(number)
    if (known === undefined) return
    known.drainDeadline = drainDeadline
    if (known.member.state !== 'starting') return
    known.member = { ...known.member, state: 'ready' }
    this.#look()
  }

  /** It cannot start, and exits. */
  refuses(number: number, refusal: Refusal): void {
    const member = this.#members.get(number)?.member
    if (member === undefined || member.state === 'draining') return
    if (this.#phase === 'starting') {
      this.#refusal ??= refusal
      this.#exitCode = this.#refusal.exitCode
      this.stopNow()
    } else if (this.isNext(member)) this.#giveUp(refusal.message)
  }

  /** Its process has ended; `how` in words. */
  exited(number: number, how: string): void {
    const known = this.#members.get(number)
    if (known === undefined) return
    this.#members.delete(number)
    this.#clock.clearTimeout(known.timer)
    const { member } = known
    if (this.isStopping) return this.#lookForEnd()
    if (member.state === 'draining') return
    if (this.isNext(member)) return this.#giveUp(`a new worker ended before it listened: ${how}`)
    const place = this.#places.find((one) => one.number === member.place)!
    const wait = place.replacement.afterDeath(this.#clock.now())
    place.hasFailed = wait === undefined
    this.#hands.died(member, how, wait)
    if (wait !== undefined) place.timer = this.#clock.setTimeout(() => this.#fill(place), wait)
    this.#look()
  }

  /**
   * Starts a new generation of so many, and lets the one before go once all of them listen. Resolves with why that was not
   * done, or undefined.
   */
  async restart(count: number): Promise<string | undefined> {
    if (this.isStopping) return 'it is stopping'
    if (this.#phase !== 'running') return 'it is still starting'
    if (this.#restart !== undefined) return 'a rolling restart is under way already'
    const { promise, resolve: end } = Promise.withResolvers<string | undefined>()
    const timer = this.#clock.setTimeout(
      () => this.#giveUp(`the new workers did not listen within ${longestStart / 1000} s`),
      longestStart,
    )
    this.#restart = { generation: ++this.#lastGeneration, places: placesFor(count), timer, end }
    for (const place of this.#restart.places) this.#start(place, this.#restart.generation)
    return promise
  }

  /** Lets all go. */
  stop(): void {
    if (this.isStopping) return
    this.#phase = 'stopping'
    this.#endRestart('it is stopping')
    for (const place of this.#places) this.#clock.clearTimeout(place.timer)
    for (const member of this.members) this.#drain(member)
    this.#lookForEnd()
  }

  /** Ends all at once. */
  stopNow(): void {
    this.stop()
    for (const member of this.members) this.#hands.kill(member)
  }

  #start({ number: place }: Place, generation: number): void {
    const member: Member = { number: ++this.#last, place, generation, state: 'starting' }
    this.#members.set(member.number, { member, drainDeadline: 1, timer: undefined })
    this.#hands.start(member)
  }

  #drain(member: Member): void {
    const known = this.#members.get(member.number)!
    if (member.state === 'draining') return
    known.member = { ...member, state: 'draining' }
    this.#hands.drain(known.member)
    if (known.drainDeadline === 0) return
    known.timer = this.#clock.setTimeout(() => {
      this.#hands.overdue(known.member)
      this.#hands.kill(known.member)
    }, known.drainDeadline + grace)
  }

  /** Starts the one that takes the place of a dead one. While the next generation starts, that is left to it. */
  #fill(place: Place): void {
    place.timer = undefined
    if (this.#restart !== undefined || this.isStopping || !this.#places.includes(place)) return
    const isTaken = this.members.some(
      (one) => one.place === place.number && one.generation === this.#generation && one.state !== 'draining',
    )
    if (!isTaken && !place.hasFailed) this.#start(place, this.#generation)
  }

  /** Is what was waited for there? */
  #look(): void {
    const areReady = (places: readonly Place[], generation: number) =>
      places.every(
        ({ number: place, hasFailed }) =>
          hasFailed ||
          this.members.some((one) => one.place === place && one.generation === generation && one.state === 'ready'),
      )
    if (this.#restart !== undefined && areReady(this.#restart.places, this.#restart.generation)) this.#handOver()
    else if (this.#restart === undefined && this.#isLost()) {
      this.#exitCode = 1
      this.stop()
    } else if (this.#phase === 'starting' && areReady(this.#places, this.#generation)) {
      this.#phase = 'running'
      this.#hands.allReady()
    }
  }

  /** Nobody serves any more, nor will. */
  #isLost(): boolean {
    return this.#places.every(({ hasFailed }) => hasFailed) && this.members.every(({ state }) => state === 'draining')
  }

  #handOver(): void {
    const { generation, places } = this.#restart!
    for (const place of this.#places) this.#clock.clearTimeout(place.timer)
    const before = this.members.filter((one) => one.generation !== generation)
    this.#generation = generation
    this.#places = places
    this.#endRestart(undefined)
    for (const member of before) this.#drain(member)
  }

  #giveUp(fault: string): void {
    const before = this.#places
    const next = this.members.filter((one) => this.isNext(one))
    this.#endRestart(fault)
    for (const member of next) this.#drain(member)
    for (const place of before) if (place.timer === undefined) this.#fill(place)
    this.#look()
  }

  #endRestart(fault: string | undefined): void {
    const restart = this.#restart
    this.#restart = undefined
    if (restart === undefined) return
    this.#clock.clearTimeout(restart.timer)
    restart.end(fault)
  }

  #lookForEnd(): void {
    if (this.#phase !== 'stopping' || this.#members.size > 0) return
    this.#phase = 'over'
    this.#hands.over(this.#exitCode, this.#refusal)
  }
}
