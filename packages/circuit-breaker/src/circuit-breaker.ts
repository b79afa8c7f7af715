import type { Attempt, Backend, Balancer, BackendSet, Participation } from '@fastify-balancer/balancer-core'
import { inSlices, optionChanges, Pauses, shownOptions, spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import { BackendCircuit, type ChangeListener } from './backend/backend-circuit.ts'
import type { CircuitView } from './backend/circuit-view.ts'
import type { Call } from './circuit/call.ts'
import { changes as circuitChanges } from './channel.ts'
import { NoCircuitError } from './errors.ts'
import type { HeldState, Hold, HoldOptions } from './circuit/holds.ts'
import { readBreakerOptions, settingsFor, type ParsedOptions } from './options.ts'

/** The key under which an attempt carries its call. A map would cost more than everything else here. */
const callOf = Symbol('circuit-breaker.call')
type Counted = Attempt & { [callOf]?: Call | undefined }

/** Under which a balancer has it among its extensions, and what is said of it in a change of options. */
export const extensionKey = 'circuit-breaker'

/** What stands before its options where they are told. */
const place = 'circuitBreaker'

/** A part in a change that changes nothing. */
const nothing: Participation = { faults: [], changes: [], commit() {}, abandon() {} }

/** As data. */
function told({ settings, backends }: ParsedOptions): object {
  return { ...settings, backends: Object.fromEntries(backends) }
}

/** A circuit for each backend of one balancer. A backend that stays in the list keeps its circuit. */
export class CircuitBreaker {
  readonly balancer: Balancer
  #options: ParsedOptions
  readonly #log: FastifyBaseLogger | undefined
  readonly #server: unknown
  readonly #pauses: Pauses
  /** `undefined` for a backend without a circuit. */
  readonly #circuits = new Map<Backend, BackendCircuit | undefined>()
  /** The current list of backends. */
  #current: BackendSet | undefined
  #isOn = false

  /** `server` is part of the channel's messages. */
  constructor(balancer: Balancer, options: ParsedOptions, log?: FastifyBaseLogger, server?: unknown) {
    this.balancer = balancer
    this.#options = options
    this.#log = log
    this.#server = server
    this.#pauses = new Pauses(balancer.clock)
    this.#switchOn()
    const prepare = (beside: Readonly<Record<string, unknown>>) => this.#prepare(beside[extensionKey])
    balancer.addHook('onOptionsPropose', function circuitBreaker(_next, beside) {
      return prepare(beside)
    })
  }

  /** The options in force, as plain data. */
  get shownOptions(): unknown {
    return shownOptions(told(this.#options))
  }

  /** All circuits, in the order of the backends. */
  get views(): readonly CircuitView[] {
    return this.balancer.backends.flatMap((backend) => this.#entered(backend)?.view ?? [])
  }

  /** The circuit of a backend. @throws the balancer's error for an unknown id; NoCircuitError */
  of(id: string): CircuitView {
    return this.#circuit(id).view
  }

  /**
   * Holds a circuit open or closed; a circuit held open gets no requests, in panic mode neither. See `Circuit.hold`.
   * @throws the balancer's error for an unknown id; NoCircuitError; RangeError for a bad `ttl`
   */
  hold(id: string, state: HeldState, options?: HoldOptions): Hold {
    return this.#circuit(id).hold(state, options)
  }

  /** Holds it open: no request goes there until that is released, or its `ttl` (ms) has passed. See `hold`. */
  isolate(id: string, options?: HoldOptions): Hold {
    return this.hold(id, 'open', options)
  }

  /** Releases all holds. @throws the balancer's error for an unknown id; NoCircuitError */
  release(id: string): void {
    this.#circuit(id).release()
  }

  /**
   * Result of a probe that has just ended; times in ms. Called by the health check, which finds this method by its name among
   * the balancer's extensions.
   */
  probed(
    backend: Backend,
    { good, timings }: { readonly good: boolean; readonly timings: { readonly took: number } },
  ): void {
    this.#circuits.get(backend)?.probed(good, timings.took)
  }

  /** Cancels its timers; from then on nothing changes. */
  close(): void {
    this.#pauses.stop()
    for (const circuit of this.#circuits.values()) circuit?.stop()
  }

  // Named functions, since the balancer logs the name of a hook that throws.
  readonly #startCall = (attempt: Counted) => {
    const { backend } = attempt
    const circuit = this.#circuits.get(backend) ?? this.#join(backend)
    if (circuit !== undefined) attempt[callOf] = circuit.start(attempt)
  }

  readonly #judgeTrial = (attempt: Counted) => {
    const call = attempt[callOf]
    if (call !== undefined && call.isTrial) this.#circuits.get(attempt.backend)?.judgeTrial(call, attempt)
  }

  readonly #endCall = (attempt: Counted) => {
    const call = attempt[callOf]
    if (call !== undefined) this.#circuits.get(attempt.backend)?.end(call, attempt)
  }

  readonly #followBackends = (now: BackendSet) => this.#follow(now)

  #switchOn(): void {
    this.#isOn = true
    this.#pauses.start()
    for (const backend of this.balancer.backends) this.#enter(backend)
    this.balancer
      .addHook('onAttemptStart', this.#startCall)
      .addHook('onAttemptResponse', this.#judgeTrial)
      .addHook('onAttemptEnd', this.#endCall)
      .addHook('onBackendsChange', this.#followBackends)
  }

  #switchOff(): void {
    this.#isOn = false
    this.#current = undefined
    this.balancer
      .removeHook('onAttemptStart', this.#startCall)
      .removeHook('onAttemptResponse', this.#judgeTrial)
      .removeHook('onAttemptEnd', this.#endCall)
      .removeHook('onBackendsChange', this.#followBackends)
    this.#pauses.stop()
    for (const circuit of this.#circuits.values()) circuit?.leave()
    this.#circuits.clear()
  }

  /** Its part in a change: `given` are its options, undefined for those that it has; `false` switches it off. */
  #prepare(given: unknown): Participation {
    if (given === undefined || (given === false && !this.#isOn)) return nothing
    const { options, faults } = given === false ? { options: undefined, faults: [] } : readBreakerOptions(given)
    const all = [...faults.map((fault) => `.${fault}`), ...this.#heldFaults(options)]
    if (all.length > 0) return { ...nothing, faults: all.map((fault) => `${place}${fault}`) }
    if (options === undefined)
      return {
        ...nothing,
        changes: [{ option: place, from: true, to: false }],
        commit: () => {
          this.#switchOff()
          this.balancer.extensions.delete(extensionKey)
        },
      }
    return this.#isOn ? this.#changing(options) : this.#switchingOn(options)
  }

  /** Orders by hand stay: a circuit that is held is not taken away. */
  #heldFaults(options: ParsedOptions | undefined): string[] {
    return [...this.#circuits].flatMap(([{ id }, circuit]) =>
      circuit?.held === true && (options === undefined || settingsFor(id, options) === false)
        ? `: the circuit of '${id}' is held by hand; release it first`
        : [],
    )
  }

  #changing(options: ParsedOptions): Participation {
    const changes = optionChanges({ [place]: told(this.#options) }, { [place]: told(options) })
    if (changes.length === 0) return nothing
    const commit = () => {
      this.#options = options
      for (const [backend, circuit] of this.#circuits) {
        const settings = settingsFor(backend.id, options)
        if (settings === false) {
          circuit?.leave()
          this.#circuits.set(backend, undefined)
        } else if (circuit === undefined) this.#enter(backend)
        else circuit.configure(settings)
      }
    }
    return { ...nothing, changes, commit }
  }

  #switchingOn(options: ParsedOptions): Participation {
    const commit = () => {
      this.#options = options
      this.balancer.extensions.set(extensionKey, this)
      this.#switchOn()
    }
    return { ...nothing, changes: [{ option: place, from: false, to: true }], commit }
  }

  #circuit(id: string): BackendCircuit {
    const circuit = this.#entered(this.balancer.backend(id))
    if (circuit === undefined) throw new NoCircuitError(id)
    return circuit
  }

  #join(backend: Backend): BackendCircuit | undefined {
    if (this.#circuits.has(backend) || !this.balancer.has(backend)) return undefined
    return this.#enter(backend)
  }

  /** The circuit of a backend that is in the set; created on demand. */
  #entered(backend: Backend): BackendCircuit | undefined {
    return this.#circuits.has(backend) ? this.#circuits.get(backend) : this.#enter(backend)
  }

  #enter(backend: Backend): BackendCircuit | undefined {
    const settings = settingsFor(backend.id, this.#options)
    const circuit = settings && new BackendCircuit(this.balancer, backend, settings, this.#pauses, this.#tell)
    this.#circuits.set(backend, circuit || undefined)
    return circuit || undefined
  }

  #follow(now: BackendSet): void {
    // One that is asked, or asked about, before its turn gets its circuit then; the next change sees to all that are left.
    const isOld = () => this.#current !== now
    this.#current = now
    void inSlices(now.all, (backend) => void (isOld() || this.#entered(backend)))
    void inSlices([...this.#circuits.keys()], (backend) => {
      if (isOld() || this.balancer.has(backend)) return
      this.#circuits.get(backend)?.leave()
      this.#circuits.delete(backend)
    })
  }

  readonly #tell: ChangeListener = ({ backend, view }, before, reason) => {
    const { state, openings, changesIn, since } = view
    const fields = { balancer: this.balancer.name, backend: backend.id, reason }
    const what = `circuit of backend ${backend.id} ${state}`
    const lasting = changesIn === undefined ? '' : ` for ${spoken(changesIn)}`
    if (state === 'open' || state === 'isolated')
      this.#log?.warn({ ...fields, openings, changesIn }, `${what}${lasting}: ${reason}`)
    else this.#log?.info(fields, `${what}: ${reason}`)
    if (circuitChanges.hasSubscribers)
      circuitChanges.publish({ ...fields, state, before, at: since, server: this.#server })
  }
}
