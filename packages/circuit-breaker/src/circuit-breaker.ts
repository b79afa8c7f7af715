import type { Attempt, Backend, Balancer, BackendSet } from '@fastify-balancer/balancer-core'
import { inSlices, Pauses, spoken } from '@fastify-balancer/option-schema'
import type { FastifyBaseLogger } from 'fastify'
import { BackendCircuit, type ChangeListener, type CircuitView } from './backend/backend-circuit.ts'
import type { Call } from './circuit/call.ts'
import { changes } from './channel.ts'
import { NoCircuitError } from './errors.ts'
import type { HeldState, Hold, HoldOptions } from './circuit/holds.ts'
import type { ParsedOptions } from './options.ts'

/** The key under which an attempt carries its call. A map would cost more than everything else here. */
const callOf = Symbol('circuit-breaker.call')
type Counted = Attempt & { [callOf]?: Call | undefined }

/** A circuit for each backend of one balancer. A backend that stays in the list keeps its circuit. */
export class CircuitBreaker {
  readonly balancer: Balancer
  readonly #options: ParsedOptions
  readonly #log: FastifyBaseLogger | undefined
  readonly #server: unknown
  readonly #pauses: Pauses
  /** `undefined` for a backend without a circuit. */
  readonly #circuits = new Map<Backend, BackendCircuit | undefined>()
  /** The current list of backends. */
  #current: BackendSet | undefined

  /** `server` is part of the channel's messages. */
  constructor(balancer: Balancer, options: ParsedOptions, log?: FastifyBaseLogger, server?: unknown) {
    this.balancer = balancer
    this.#options = options
    this.#log = log
    this.#server = server
    this.#pauses = new Pauses(balancer.clock)
    this.#pauses.start()
    for (const backend of balancer.backends) this.#enter(backend)
    // Named functions, since the balancer logs the name of a hook that throws.
    const startCall = (attempt: Counted) => {
      const { backend } = attempt
      const circuit = this.#circuits.get(backend) ?? this.#join(backend)
      if (circuit !== undefined) attempt[callOf] = circuit.start(attempt)
    }
    const judgeTrial = (attempt: Counted) => {
      const call = attempt[callOf]
      if (call !== undefined && call.isTrial) this.#circuits.get(attempt.backend)?.judgeTrial(call, attempt)
    }
    const endCall = (attempt: Counted) => {
      const call = attempt[callOf]
      if (call !== undefined) this.#circuits.get(attempt.backend)?.end(call, attempt)
    }
    const followBackends = (now: BackendSet, before: BackendSet) => this.#follow(now, before)
    balancer.addHook('onAttemptStart', startCall)
    balancer.addHook('onAttemptResponse', judgeTrial)
    balancer.addHook('onAttemptEnd', endCall)
    balancer.addHook('onBackendsChange', followBackends)
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
   * Result of a probe that began at `at` (ms since the epoch). Called by the health check, which finds this method by
   * its name among the balancer's extensions.
   */
  probed(backend: Backend, { good, at }: { readonly good: boolean; readonly at: number }): void {
    this.#circuits.get(backend)?.probed(good, at)
  }

  /** Cancels its timers; from then on nothing changes. */
  close(): void {
    this.#pauses.stop()
    for (const circuit of this.#circuits.values()) circuit?.stop()
  }

  #circuit(id: string): BackendCircuit {
    const circuit = this.#entered(this.balancer.backend(id))
    if (circuit === undefined) throw new NoCircuitError(id)
    return circuit
  }

  #join(backend: Backend): BackendCircuit | undefined {
    if (this.#circuits.has(backend) || !this.balancer.backends.includes(backend)) return undefined
    return this.#enter(backend)
  }

  /** The circuit of a backend that is in the set; created on demand. */
  #entered(backend: Backend): BackendCircuit | undefined {
    return this.#circuits.has(backend) ? this.#circuits.get(backend) : this.#enter(backend)
  }

  #enter(backend: Backend): BackendCircuit | undefined {
    const settings = this.#options.backends.get(backend.id) ?? this.#options.settings
    const circuit = settings && new BackendCircuit(this.balancer, backend, settings, this.#pauses, this.#tell)
    this.#circuits.set(backend, circuit || undefined)
    return circuit || undefined
  }

  #follow(now: BackendSet, before: BackendSet): void {
    const kept = new Set(now.all)
    for (const backend of before.all) {
      if (kept.has(backend)) continue
      this.#circuits.get(backend)?.leave()
      this.#circuits.delete(backend)
    }
    // Circuits that are needed earlier are created on demand; the next change of the list continues with the rest.
    const isOld = () => this.#current !== now
    this.#current = now
    void inSlices(now.all, (backend) => void (isOld() || this.#entered(backend)))
  }

  readonly #tell: ChangeListener = ({ backend, view }, before, reason) => {
    const { state, openings, changesIn, since } = view
    const fields = { balancer: this.balancer.name, backend: backend.id, reason }
    const what = `circuit of backend ${backend.id} ${state}`
    const lasting = changesIn === undefined ? '' : ` for ${spoken(changesIn)}`
    if (state === 'open' || state === 'isolated')
      this.#log?.warn({ ...fields, openings, changesIn }, `${what}${lasting}: ${reason}`)
    else this.#log?.info(fields, `${what}: ${reason}`)
    if (changes.hasSubscribers) changes.publish({ ...fields, state, before, at: since, server: this.#server })
  }
}
