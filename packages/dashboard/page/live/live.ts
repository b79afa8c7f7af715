// Room `live`: the state of the page, kept up to date by events.
import { ApiError } from '../api/api-error.ts'
import type { Api } from '../api/api.ts'
import { EventStream } from './event-stream.ts'
import type { Access, Trouble } from './state.ts'
import type { Store } from './store.ts'

/** The lists are asked for at most so often (ms), however much happens. */
const shortestBetween = 250

/** And at least so often (ms), for what no event tells, such as slow start. */
const longestBetween = 5000

/** While the server drains, somebody waits for it: as often as figures come. */
const longestWhileDraining = 1000

function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ApiError) || error.status === 0) return { kind: 'unreachable', message }
  return { kind: error.status === 401 ? 'signed-out' : 'refused', message }
}

/** What somebody may do whose question about that was answered with an error; undefined: that says nothing about it. */
function accessOf(error: unknown): Access | undefined {
  return error instanceof ApiError && [401, 403].includes(error.status) ? 'viewer' : undefined
}

/** Keeps the store up to date: events say when to ask, and the admin routes say how it is. */
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
        // Why, the lists will say.
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

  /** Asks for everything anew, soon. */
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
    // What was known last holds until there is an answer.
    if (access === undefined) this.#isAccessDue = true
    else this.#store.tell({ kind: 'access', access })
  }
}
