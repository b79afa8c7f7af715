// Room `live`: the state of the page, kept up to date by the event stream.
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { EventStream } from './event-stream.ts'
import type { Access, Trouble } from './state.ts'
import type { Store } from './store.ts'

/** Shortest time between two requests for the lists (ms), however much happens. */
const shortestBetween = 250

/** Longest time between them (ms), for changes without an event, such as slow start. */
const longestBetween = 5000

/** While the server drains, an operator is waiting: as often as figures come. */
const longestWhileDraining = 1000

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
  #timer: ReturnType<typeof setTimeout> | undefined
  #askedAt = -Infinity
  #isAsking = false
  #isDue = false
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
        void this.#findAccess()
      },
      event: (event) => {
        this.#store.tell({ kind: 'event', event })
        refresh()
      },
      figures: (figures) => this.#store.tell({ kind: 'figures', figures }),
      gap: refresh,
    }).open()
  }

  choose(name: string): void {
    this.#store.tell({ kind: 'choice', name })
    this.refresh()
  }

  /** Requests everything again, soon. */
  refresh(): void {
    this.#isDue = true
    if (this.#isAsking) return
    clearTimeout(this.#timer)
    const wait = this.#askedAt + shortestBetween - performance.now()
    this.#timer = setTimeout(() => void this.#ask(), Math.max(0, wait))
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    this.#isDue = false
    this.#askedAt = performance.now()
    if (this.#isAccessDue) void this.#findAccess()
    try {
      const [view, server] = await Promise.all([this.#api.balancers(), this.#api.server()])
      this.#store.tell({ kind: 'balancers', view })
      this.#store.tell({ kind: 'server', view: server })
      const { chosen } = this.#store.state
      if (chosen !== undefined) this.#store.tell({ kind: 'balancer', view: await this.#api.balancer(chosen) })
      this.#store.tell({ kind: 'trouble', trouble: undefined })
    } catch (error) {
      this.#store.tell({ kind: 'trouble', trouble: troubleOf(error) })
    }
    this.#isAsking = false
    if (this.#isDue) this.refresh()
    else this.#timer = setTimeout(() => this.refresh(), this.#pause)
  }

  get #pause(): number {
    return this.#store.state.server?.state === 'drain' ? longestWhileDraining : longestBetween
  }

  async #findAccess(): Promise<void> {
    this.#isAccessDue = false
    const access = await this.#api.operator().then(() => 'operator' as const, accessOf)
    // The last answer holds until there is a new one.
    if (access === undefined) this.#isAccessDue = true
    else this.#store.tell({ kind: 'access', access })
  }
}
