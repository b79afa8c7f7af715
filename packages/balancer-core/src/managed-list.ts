import type { BackendOptions, ParsedBackend } from './backends/backend-options.ts'
import type { BackendSet } from './backends/backend-set.ts'
import type { Backend } from './backends/backend.ts'
import type { Backends } from './backends/list/backends.ts'
import type { DrainOptions, Order } from './backends/drains.ts'
import type { AgreedList, ListAgreement } from './backends/list/list-agreement.ts'
import type { Preview } from './backends/list/preview.ts'
import type { ChangeOptions } from './backends/list/proposal.ts'
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

  /** Takes a backend out of rotation, with a reason; the returned handle lifts the veto. */
  veto(backend: Backend, options: VetoOptions): Veto {
    return this.list.veto(backend, options)
  }

  /**
   * Replaces the whole list, or nothing. A backend with the same id and address keeps its counters and connections; a
   * removed one gets no new requests and may finish those it has until `drainDeadline`.
   * @throws BadOptionsError naming every fault; StaleRevisionError; RefusedBackendsError; NobodyUsableError
   */
  setBackends(list: readonly (string | BackendOptions)[], options?: ChangeOptions): Promise<BackendSet> {
    return this.list.change(() => list, options)
  }

  /** What `setBackends` would change with this list, and why it would be refused. Changes nothing. */
  preview(list: readonly (string | BackendOptions)[]): Preview {
    return this.list.preview(list)
  }

  /** The same for a long list, in slices, so that requests are not held up. */
  previewInSlices(list: readonly (string | BackendOptions)[]): Promise<Preview> {
    return this.list.previewInSlices(list)
  }

  /**
   * Takes the list of the other instances, or gives them the one here; from then on, each change of the list is agreed on with
   * them first. @throws as `ListAgreement.join`; BadOptionsError where it cannot read that list
   */
  agreeBy(agreement: ListAgreement): Promise<void> {
    return this.list.agreeBy(agreement)
  }

  /**
   * Puts a list in force that the instances have agreed on; one that is not newer changes nothing.
   * @throws BadOptionsError where it cannot read that list
   */
  adopt(list: AgreedList): Promise<void> {
    return this.list.adopt(list)
  }

  /** Adds one at the end. @throws BadOptionsError; StaleRevisionError */
  add(backend: string | BackendOptions, options?: ChangeOptions): Promise<BackendSet> {
    return this.list.change((listed) => [...listed, backend], options)
  }

  /** Changes weight, priority, maxInFlight, zone or tags. @throws UnknownBackendError; BadOptionsError; StaleRevisionError */
  update(
    id: string,
    patch: Partial<Omit<BackendOptions, 'id' | 'url' | 'proxyProtocol'>>,
    options?: ChangeOptions,
  ): Promise<BackendSet> {
    return this.list.changeOne(id, (one) => ({ ...one, ...patch }), options)
  }

  /** Removes one; it may finish its requests until the deadline. @throws as `setBackends`; UnknownBackendError */
  remove(id: string, options: ChangeOptions & DrainOptions = {}): Promise<BackendSet> {
    return this.list.changeOne(id, () => undefined, options, options)
  }

  /**
   * Drains a backend: it gets no new requests. Resolves to true once it is idle, to false if the deadline came first
   * and the rest was aborted, or if the drain was cancelled. Until the deadline, a policy that binds clients may still
   * send it those that are bound to it. It stays in the list; `ready` puts it back in rotation. A repeated order keeps
   * the deadline, unless it has one of its own.
   * @throws UnknownBackendError
   */
  drain(id: string, options?: DrainOptions): Promise<boolean> {
    return this.list.drain(id, options)
  }

  /**
   * Maintenance: no new requests, and those in progress are aborted. It stays in the list; `ready` puts it back in
   * rotation.
   * @throws UnknownBackendError
   */
  maintain(id: string, options?: Order): Promise<void> {
    return this.list.maintain(id, options)
  }

  /** Ends a drain or maintenance. @throws UnknownBackendError */
  ready(id: string): void {
    this.list.ready(id)
  }
}
