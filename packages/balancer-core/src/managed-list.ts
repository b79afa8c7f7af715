import type { BackendOptions, ParsedBackend } from './backends/backend-options.ts'
import type { BackendSet } from './backends/backend-set.ts'
import type { Backend } from './backends/backend.ts'
import type { Backends } from './backends/backends.ts'
import type { DrainOptions } from './backends/drains.ts'
import type { Preview } from './backends/preview.ts'
import type { ChangeOptions } from './backends/proposal.ts'
import type { Veto, VetoOptions } from './backends/veto.ts'

/** The list of a balancer's backends, as its users look at it and change it. */
export abstract class ManagedList {
  protected abstract readonly list: Backends

  /** The current snapshot. */
  get set(): BackendSet {
    return this.list.set
  }

  /** Live views of all backends, in the order given. */
  get backends(): readonly Backend[] {
    return this.set.all
  }

  /** What the list says, in the order given: `setBackends` takes it to get the same again. */
  get listed(): readonly ParsedBackend[] {
    return this.list.listed
  }

  /** Is it in the list now, and no other of its name in its place? O(1). */
  has(backend: Backend): boolean {
    return this.list.has(backend)
  }

  /** @throws UnknownBackendError */
  backend(id: string): Backend {
    return this.list.get(id)
  }

  /** Lays a reason not to use a backend; the handle lifts it. */
  veto(backend: Backend, options: VetoOptions): Veto {
    return this.list.veto(backend, options)
  }

  /**
   * Replaces the whole list, or nothing. A backend with the same id and address keeps its counters and connections; one
   * that is gone gets no new request, and finishes what it has until `drainDeadline`.
   * @throws BadOptionsError naming every fault; StaleRevisionError; RefusedBackendsError; NobodyUsableError
   */
  setBackends(list: readonly (string | BackendOptions)[], options?: ChangeOptions): Promise<BackendSet> {
    return this.list.change(() => list, options)
  }

  /** What `setBackends` would change with this list, and why it would be refused. Changes nothing. */
  preview(list: readonly (string | BackendOptions)[]): Preview {
    return this.list.preview(list)
  }

  /** The same for a list that may be long: requests go on meanwhile. */
  previewInSlices(list: readonly (string | BackendOptions)[]): Promise<Preview> {
    return this.list.previewInSlices(list)
  }

  /** Adds one at the end. @throws BadOptionsError; StaleRevisionError */
  add(backend: string | BackendOptions, options?: ChangeOptions): Promise<BackendSet> {
    return this.list.change((listed) => [...listed, backend], options)
  }

  /** Changes weight, priority, maxInFlight, zone or tags. @throws UnknownBackendError; BadOptionsError; StaleRevisionError */
  update(id: string, patch: Partial<Omit<BackendOptions, 'id' | 'url'>>, options?: ChangeOptions): Promise<BackendSet> {
    return this.list.changeOne(id, (one) => ({ ...one, ...patch }), options)
  }

  /** Takes one out; it finishes what it has until the deadline. @throws as `setBackends`; UnknownBackendError */
  remove(id: string, options: ChangeOptions & DrainOptions = {}): Promise<BackendSet> {
    return this.list.changeOne(id, () => undefined, options, options)
  }

  /**
   * Gives it nothing new, and waits: true once it is idle, false if the deadline came first and the rest was cut, or if it
   * was taken back. Until the deadline, a policy that binds clients may still send it those that are its own. It stays in
   * the set; `ready` takes it back. Ordered again, it keeps its deadline, unless there is another. @throws UnknownBackendError
   */
  drain(id: string, options?: DrainOptions): Promise<boolean> {
    return this.list.drain(id, options)
  }

  /**
   * Gives it no new request, and cuts what it has. It stays in the set; `ready` takes it back.
   * @throws UnknownBackendError
   */
  maintain(id: string): Promise<void> {
    return this.list.maintain(id)
  }

  /** Ends a drain, or maintenance. @throws UnknownBackendError */
  ready(id: string): void {
    this.list.ready(id)
  }
}
