import type { Attempt, Backend, Balancer, BackendSet, Participation } from '@fastify-balancer/balancer-core'
import { inSlices, optionChanges, shownOptions } from '@fastify-balancer/option-schema'
import { Aimd } from './algorithms/aimd.ts'
import { Gradient2 } from './algorithms/gradient2.ts'
import { BackendLimit, type LimitView } from './backend-limit.ts'
import { NoLimitsError } from './errors.ts'
import { readLimitOptions, type LimitSettings } from './options.ts'

/** Under which a balancer has it among its extensions, and what is said of it in a change of options. */
export const extensionKey = 'adaptive-limit'

/** What stands before its options where they are told. */
const place = 'adaptiveLimit'

/** A part in a change that changes nothing. */
const nothing: Participation = { faults: [], changes: [], commit() {}, abandon() {} }

/** Statuses of an overloaded backend, or of one behind it. */
const overloaded = new Set([503, 504])

/** When the backend had the whole request, on the clock in ms: the wait for a connection is not the backend's. */
const askedAt = ({ sentAt, uploadedAt }: Attempt) => Math.max(sentAt, uploadedAt)

/** A limit for each backend of one balancer, that follows what is measured. A backend that stays in the list keeps its limit. */
export class AdaptiveLimit {
  readonly balancer: Balancer
  #settings: LimitSettings
  readonly #limits = new Map<Backend, BackendLimit>()
  /** The current list of backends. */
  #current: BackendSet | undefined
  #isOn = false

  constructor(balancer: Balancer, settings: LimitSettings) {
    this.balancer = balancer
    this.#settings = settings
    this.#switchOn()
    const prepare = (beside: Readonly<Record<string, unknown>>) => this.#prepare(beside[extensionKey])
    balancer.addHook('onOptionsPropose', function adaptiveLimit(_next, beside) {
      return prepare(beside)
    })
  }

  /** The options in force, as plain data. */
  get shownOptions(): unknown {
    return shownOptions(this.#settings)
  }

  /** All limits, in the order of the backends; none while they are switched off. */
  get views(): readonly LimitView[] {
    if (!this.#isOn) return []
    return this.balancer.backends.map((backend) => this.#limitOf(backend).view(backend.id))
  }

  /** @throws the balancer's error for an unknown id; NoLimitsError while they are switched off */
  of(id: string): LimitView {
    if (!this.#isOn) throw new NoLimitsError(this.balancer.name)
    return this.#limitOf(this.balancer.backend(id)).view(id)
  }

  // Named functions, since the balancer logs the name of a hook that throws.
  readonly #measureResponse = (attempt: Attempt) => {
    const { backend, effectiveStatus: status, startedAt, respondedAt } = attempt
    // Fast failures are no sign of speed; a tunnel's handshake is none of the time that requests take; and a backend that
    // answers before it has the whole request may have been waiting for the client.
    if (status >= 500 || attempt.exchange.upgrade !== undefined || !attempt.uploaded) return
    this.#limits.get(backend)?.answered(startedAt, Math.max(0, respondedAt - askedAt(attempt)), respondedAt)
  }

  readonly #measureEnd = (attempt: Attempt) => {
    const { backend, outcome, blame, effectiveStatus: status, startedAt, endedAt } = attempt
    if (blame !== 'backend' && !overloaded.has(status)) return
    const limit = this.#limits.get(backend)
    // It took at least that long.
    if (outcome === 'headers-timeout' && attempt.uploaded)
      limit?.answered(startedAt, Math.max(0, endedAt - askedAt(attempt)), endedAt)
    limit?.failed(startedAt, endedAt)
  }

  readonly #followBackends = (now: BackendSet) => this.#follow(now)

  #switchOn(): void {
    this.#isOn = true
    for (const backend of this.balancer.backends) this.#limitOf(backend)
    this.balancer
      .addHook('onAttemptResponse', this.#measureResponse)
      .addHook('onAttemptEnd', this.#measureEnd)
      .addHook('onBackendsChange', this.#followBackends)
  }

  #switchOff(): void {
    this.#isOn = false
    this.#current = undefined
    this.balancer
      .removeHook('onAttemptResponse', this.#measureResponse)
      .removeHook('onAttemptEnd', this.#measureEnd)
      .removeHook('onBackendsChange', this.#followBackends)
    for (const backend of this.#limits.keys()) this.balancer.limit(backend, Infinity, extensionKey)
    this.#limits.clear()
  }

  /** Its part in a change: `given` are its options, undefined for those that it has; `false` switches it off. */
  #prepare(given: unknown): Participation {
    if (given === undefined || (given === false && !this.#isOn)) return nothing
    if (given === false) return this.#switching(false, () => this.#switchOff())
    const { options, faults } = readLimitOptions(given)
    if (faults.length > 0) return { ...nothing, faults: faults.map((fault) => `${place}.${fault}`) }
    const { balancer: _, ...settings } = options
    const begin = () => {
      this.#settings = settings
      this.#switchOn()
    }
    if (!this.#isOn) return this.#switching(true, begin)
    const changes = optionChanges({ [place]: this.#settings }, { [place]: settings })
    if (changes.length === 0) return nothing
    // What was measured may mean nothing under another algorithm.
    const commit = () => {
      this.#switchOff()
      begin()
    }
    return { ...nothing, changes, commit }
  }

  #switching(to: boolean, change: () => void): Participation {
    const commit = () => {
      change()
      if (to) this.balancer.extensions.set(extensionKey, this)
      else this.balancer.extensions.delete(extensionKey)
    }
    return { ...nothing, changes: [{ option: place, from: !to, to }], commit }
  }

  /** The limit of a backend; a new one has its first limit at once. */
  #limitOf(backend: Backend): BackendLimit {
    const known = this.#limits.get(backend)
    if (known !== undefined) return known
    const { balancer } = this
    const { algorithm, window } = this.#settings
    const chosen = algorithm === 'aimd' ? new Aimd(this.#settings) : new Gradient2(this.#settings)
    const limit = new BackendLimit(backend, chosen, window, balancer.clock.now(), (capacity) =>
      balancer.limit(backend, capacity, extensionKey),
    )
    this.#limits.set(backend, limit)
    return limit
  }

  #follow(now: BackendSet): void {
    const isOld = () => this.#current !== now
    this.#current = now
    void inSlices(now.all, (backend) => void (isOld() || this.#limitOf(backend)))
    void inSlices([...this.#limits.keys()], (backend) => {
      if (!isOld() && !this.balancer.has(backend)) this.#limits.delete(backend)
    })
  }
}
