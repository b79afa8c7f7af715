import type { LookupFunction } from 'node:net'
import type { Clock } from '../clock.ts'
import type { Address } from './addresses/address.ts'
import { AddressMarks } from './addresses/address-marks.ts'
import { isUnanswered, type Finding } from './finding.ts'
import { lookupFunction } from './lookup-function.ts'
import type { Sources } from './name-sources.ts'
import { NameError } from './name-error.ts'
import { failureDelay, keptWithout, refreshDelay, sooner } from './refresh-times.ts'

type Waiting = (error: Error | null, addresses: readonly Address[]) => void

/** A connection to one of the addresses. */
interface Follower {
  readonly address: string
  readonly retire: () => void
}

/**
 * A host name with its addresses: looked up when first needed, then refreshed before they expire, as long as a backend
 * of the set has this name. If a look-up fails, the known addresses stay.
 */
export class HostName {
  readonly name: string
  /** For connections with traffic: each begins with the next address. */
  readonly lookup: LookupFunction
  readonly #clock: Clock
  readonly #random: () => number
  readonly #sources: Sources
  /** The latest answer, and the one before. */
  #addresses: readonly Address[] = []
  #before: readonly Address[] = []
  #marks: AddressMarks
  #fullName: string | undefined
  #bySystem = false
  #answeredAt = -Infinity
  #expiresAt = -Infinity
  /** Since when answers say that there are none, although some are known. */
  #missingSince: number | undefined
  #failures = 0
  #error: NameError | undefined
  #mayAskAt = -Infinity
  #isAsking = false
  #stop: (() => void) | undefined
  #timer: unknown
  #isKept = false
  #isClosed = false
  #waiting: Waiting[] = []
  readonly #followers = new Set<Follower>()

  constructor(name: string, sources: Sources, clock: Clock, random: () => number) {
    this.name = name
    this.#sources = sources
    this.#clock = clock
    this.#random = random
    this.#marks = new AddressMarks(clock)
    this.lookup = lookupFunction(this)
  }

  /** The known addresses: empty before the first successful look-up. */
  get addresses(): readonly Address[] {
    return this.#addresses
  }

  /**
   * Calls back with all addresses, at once if they are known; recently unreachable ones come last. `turn` selects the
   * first one.
   */
  resolve(turn: number, callback: (error: Error | null, addresses: readonly Address[]) => void): void {
    if (this.#isClosed) {
      callback(new NameError('ECANCELED', this.name), [])
      return
    }
    const now = this.#clock.now()
    const isDue = now >= this.#expiresAt && now >= this.#mayAskAt
    if (this.#addresses.length > 0) {
      if (isDue) this.#ask()
      callback(null, this.#marks.ordered(this.#addresses, turn))
    } else if (this.#error !== undefined && (this.#isAsking || !isDue)) callback(this.#error, [])
    else {
      this.#waiting.push((error, addresses) => callback(error, this.#marks.ordered(addresses, turn)))
      this.#ask()
    }
  }

  /** False for an address that was missing in two answers in a row: no connection to it should be kept. */
  isCurrent(address: string): boolean {
    return [this.#addresses, this.#before].some((known) => known.some((one) => one.address === address))
  }

  /**
   * Registers a connection: `retire` is called once when its address is no longer current, maybe at once. The
   * connection then finishes its request and takes no more. Call the returned function when it has closed.
   */
  follow(address: string, retire: () => void): () => void {
    const follower: Follower = { address, retire }
    if (this.isCurrent(address)) this.#followers.add(follower)
    else retire()
    return () => void this.#followers.delete(follower)
  }

  /** An address has accepted a connection. */
  reached(address: string): void {
    this.#marks.reached(address)
  }

  /**
   * An address could not be reached: it is tried last for a while. If none can be reached, the name is looked up again,
   * since it may have changed.
   */
  failed(address: string): void {
    this.#marks.failed(address)
    if (this.#marks.hasFailedAll(this.#addresses)) this.refreshSoon()
  }

  /** Looks up again, unless that was done just now. */
  refreshSoon(): void {
    const now = this.#clock.now()
    if (this.#isKept && now - this.#answeredAt >= sooner && now >= this.#mayAskAt) this.#ask()
  }

  /** From now on it is refreshed. */
  keep(): void {
    if (this.#isKept) return
    this.#isKept = true
    if (this.#answeredAt > -Infinity) this.#askIn(Math.max(0, this.#expiresAt - this.#clock.now()))
  }

  /** No backend of the set has this name any more: it is looked up only when it is needed. */
  letGo(): void {
    this.#isKept = false
    this.#clock.clearTimeout(this.#timer)
  }

  /** Cancels look-ups in progress; callers that wait get an error. */
  close(): void {
    this.letGo()
    this.#isClosed = true
    this.#stop?.()
    this.#answer(new NameError('ECANCELED', this.name))
  }

  #askIn(delay: number): void {
    this.#clock.clearTimeout(this.#timer)
    if (this.#isKept) this.#timer = this.#clock.setTimeout(() => this.#ask(), delay)
  }

  #ask(): void {
    if (this.#isAsking || this.#isClosed) return
    this.#isAsking = true
    this.#clock.clearTimeout(this.#timer)
    const knownFrom = this.#addresses.length === 0 ? undefined : this.#bySystem ? 'system' : 'elsewhere'
    this.#stop = this.#sources.find({ name: this.name, knownFrom }, (finding, isLast) => {
      if (this.#isClosed) return
      if (isLast) this.#isAsking = false
      this.#learn(finding, isLast)
    })
  }

  #learn(finding: Finding, isLast: boolean): void {
    if (!isLast) {
      // A partial answer, or one from the system only: better than none.
      if (this.#addresses.length === 0 || this.#bySystem) this.#take(finding)
    } else if (finding.addresses.length > 0) {
      const isOtherName = finding.passedOver && this.#addresses.length > 0 && finding.fullName !== this.#fullName
      if (isOtherName) this.#fail(finding)
      else {
        this.#take(finding)
        this.#schedule(finding.ttl)
      }
    } else this.#fail(finding)
  }

  #take(finding: Finding): void {
    const { unanswered, fullName, bySystem = false } = finding
    const known = this.#addresses
    // For a family without an answer, the known addresses stay.
    const kept = bySystem || this.#bySystem ? [] : known.filter(({ family }) => unanswered.includes(family))
    const named = [...finding.addresses, ...kept]
    const isNamed = (one: Address) => named.some(({ address }) => address === one.address)
    const isKnown = (one: Address) => known.some(({ address }) => address === one.address)
    // Known addresses keep their order, even if name servers shuffle them, so that the rotation goes on.
    this.#addresses = [...known.filter(isNamed), ...named.filter((one) => !isKnown(one))]
    this.#before = known
    this.#fullName = fullName
    this.#bySystem = bySystem
    this.#missingSince = undefined
    this.#failures = 0
    this.#error = undefined
    this.#answeredAt = this.#clock.now()
    this.#marks.keepOnly(this.#addresses)
    this.#answer(null)
    for (const follower of this.#followers) {
      if (this.isCurrent(follower.address)) continue
      this.#followers.delete(follower)
      follower.retire()
    }
  }

  #schedule(ttl: number | undefined): void {
    const hasLost = this.#before.some(({ address }) => !this.#addresses.some((one) => one.address === address))
    const { lasts, delay } = refreshDelay(ttl, this.#random)
    this.#expiresAt = this.#clock.now() + lasts
    this.#mayAskAt = -Infinity
    // A single answer may be incomplete: if addresses are missing, it is asked again soon.
    this.#askIn(hasLost ? Math.min(delay, sooner) : delay)
  }

  #fail(finding: Finding): void {
    const now = this.#clock.now()
    const isNegative = finding.addresses.length === 0 && !isUnanswered(finding)
    this.#missingSince = isNegative ? (this.#missingSince ?? now) : undefined
    if (isNegative && now - this.#missingSince! >= keptWithout) this.#addresses = []
    const delay = failureDelay(++this.#failures, this.#random)
    this.#error = new NameError(isNegative ? 'ENOTFOUND' : 'EAI_AGAIN', this.name, finding.error)
    this.#mayAskAt = now + delay
    this.#askIn(delay)
    if (this.#addresses.length === 0) this.#answer(this.#error)
  }

  #answer(error: Error | null): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const answer of waiting) answer(error, this.#addresses)
  }
}
