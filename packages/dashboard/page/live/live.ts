// Room `live`: the state of the page, kept up to date by the event stream.
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import type { Range } from '../history/range.ts'
import { EventStream } from './event-stream.ts'
import { Poll } from './poll.ts'
import { balancerState, type Access, type Trouble } from './state.ts'
import type { Store } from './store.ts'

/** Shortest time between two requests for the lists (ms), however much happens. */
const shortestBetween = 250

/** Longest time between them (ms), for changes without an event, such as slow start. */
const longestBetween = 5000

/** While the server drains, an operator is waiting: as often as figures come. */
const longestWhileDraining = 1000

/** Time between two requests for the past (ms): until another period is over, within these limits. */
const past = { shortest: 10_000, longest: 60_000 }

/** So many failed requests are shown. */
const mostFailures = 20

/** Time between two requests for them (ms): while requests fail, and while none are seen to. */
const failures = { shortest: 1000, longest: 15_000 }

/** Time between two requests for the instances (ms): usually, while one is started or drains, and where there is only one. */
const instances = { usual: 2000, busy: 1000, alone: 15_000 }

function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ApiError) || error.status === 0) return { kind: 'unreachable', message }
  return { kind: error.status === 401 ? 'signed-out' : 'refused', message }
}

/** What the viewer may do if `/operator` failed; undefined if the error does not say. */
function accessOf(error: unknown): Access | undefined {
  return error instanceof ApiError && [401, 403].includes(error.status) ? 'viewer' : undefined
}

/** Keeps the store up to date: events trigger requests to the admin routes. */
export class Live {
  readonly #api: Api
  readonly #store: Store
  readonly #lists = new Poll(
    () => this.#askLists(),
    shortestBetween,
    () => this.#pause,
  )
  readonly #past = new Poll(
    () => this.#askPast(),
    shortestBetween,
    () => this.#pastPause,
  )
  readonly #failures = new Poll(
    () => this.#askFailures(),
    failures.shortest,
    () => failures.longest,
  )
  readonly #instances = new Poll(
    () => this.#askInstances(),
    instances.busy,
    () => this.#instancesPause,
  )
  #isAccessDue = false

  constructor(api: Api, store: Store) {
    this.#api = api
    this.#store = store
  }

  start(): void {
    this.refresh()
    const refresh = () => this.refresh()
    new EventStream(this.#api.url('events'), {
      connection: (connection) => {
        this.#store.tell({ kind: 'connection', connection })
        // The answers for the lists will show why.
        if (connection === 'reconnecting') refresh()
      },
      opened: () => {
        refresh()
        this.#askAgain()
        this.#instances.soon()
        void this.#findAccess()
      },
      event: (event) => {
        this.#store.tell({ kind: 'event', event })
        refresh()
      },
      figures: (figures) => {
        this.#store.tell({ kind: 'figures', figures })
        if (figures.failed > 0 && figures.balancer === this.#store.state.chosen) this.#failures.soon()
      },
      gap: refresh,
    }).open()
  }

  choose(name: string): void {
    this.#store.tell({ kind: 'choice', name })
    this.refresh()
    this.#askAgain()
  }

  /** How far back the page looks. */
  look(range: Range): void {
    this.#store.tell({ kind: 'range', range })
    this.#askAgain()
  }

  /** Requests everything again, soon. */
  refresh(): void {
    this.#lists.soon()
    if (this.#store.state.fleet !== undefined) this.#instances.soon()
  }

  async #askLists(): Promise<void> {
    if (this.#isAccessDue) void this.#findAccess()
    const { chosen: before } = this.#store.state
    try {
      const [view, server] = await Promise.all([this.#api.balancers(), this.#api.server()])
      this.#store.tell({ kind: 'balancers', view })
      this.#store.tell({ kind: 'server', view: server })
      const { chosen } = this.#store.state
      if (chosen !== before) this.#askAgain()
      if (chosen !== undefined) this.#store.tell({ kind: 'balancer', view: await this.#api.balancer(chosen) })
      this.#store.tell({ kind: 'trouble', trouble: undefined })
    } catch (error) {
      this.#store.tell({ kind: 'trouble', trouble: troubleOf(error) })
    }
  }

  get #pause(): number {
    return this.#store.state.server?.state === 'drain' ? longestWhileDraining : longestBetween
  }

  /** Of the chosen balancer, what the lists do not tell. */
  #askAgain(): void {
    if (this.#store.state.chosen === undefined) return
    this.#past.soon()
    this.#failures.soon()
  }

  async #askPast(): Promise<void> {
    const { chosen, range } = this.#store.state
    if (chosen === undefined) return
    // The requests for the lists tell what is wrong.
    const view = await this.#api.history(chosen, range).catch(() => undefined)
    if (view !== undefined) this.#store.tell({ kind: 'past', balancer: chosen, range, view })
  }

  get #pastPause(): number {
    const { chosen = '' } = this.#store.state
    const step = balancerState(this.#store.state, chosen).past?.step ?? past.shortest
    return Math.min(Math.max(step, past.shortest), past.longest)
  }

  async #askFailures(): Promise<void> {
    const { chosen } = this.#store.state
    if (chosen === undefined) return
    const view = await this.#api.failures(chosen, mostFailures).catch(() => undefined)
    if (view !== undefined) this.#store.tell({ kind: 'failures', balancer: chosen, failures: view.failures })
  }

  async #askInstances(): Promise<void> {
    const view = await this.#api.instances().catch(() => undefined)
    if (view !== undefined) this.#store.tell({ kind: 'instances', view, at: performance.now() })
  }

  get #instancesPause(): number {
    const { fleet } = this.#store.state
    if (fleet === undefined) return instances.alone
    return fleet.instances.every(({ state }) => state === 'ready') ? instances.usual : instances.busy
  }

  async #findAccess(): Promise<void> {
    this.#isAccessDue = false
    const access = await this.#api.operator().then(() => 'operator' as const, accessOf)
    // The last answer holds until there is a new one.
    if (access === undefined) this.#isAccessDue = true
    else this.#store.tell({ kind: 'access', access })
  }
}
