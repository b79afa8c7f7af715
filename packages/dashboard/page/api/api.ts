// Room `api`: calls of the admin API, and the shapes of its responses.
import { ApiError, type FaultView } from './api-error.ts'
import type { ExplanationView } from './explanation-view.ts'
import type { InstancesView, RestartView } from './instance-views.ts'
import type { FailuresView, HistoryView } from './past-views.ts'
import type { ConfigurationView, PreviewView, SetView } from './list-views.ts'
import type {
  BackendView,
  BalancersView,
  BalancerView,
  CircuitView,
  ProbeView,
  ServerView,
  TunnelsView,
} from './views.ts'

/** A request to be explained. */
export interface DescribedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[]>>
  /** The client's. */
  readonly address?: string
}

/** A backend to be added. */
export interface NewBackend {
  readonly url: string
  readonly id?: string
  readonly weight?: number
  readonly priority?: number
  readonly maxInFlight?: number
  readonly zone?: string
  readonly tags?: readonly string[]
}

/** How a list may be changed. */
export interface ChangeTerms {
  /** Only while the list is still at this revision. */
  readonly revision?: number | undefined
  /** Even if no usable backend is left. */
  readonly force?: boolean
}

interface RequestParts {
  readonly body?: unknown
  readonly revision?: number | undefined
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
}

async function refusal(response: Response): Promise<ApiError> {
  const { status, statusText } = response
  const fallback = `The server answered ${status} ${statusText}`.trim()
  try {
    const fault = (await response.json()) as Partial<FaultView>
    return new ApiError(status, { ...fault, message: fault.message ?? fallback })
  } catch {
    return new ApiError(status, { message: fallback })
  }
}

/** The admin routes. Every method throws ApiError. */
export class Api {
  readonly #base: URL

  /** `base`: URL of the routes. */
  constructor(base: URL) {
    this.#base = base
  }

  /** URL of a route; encodes the segments. */
  url(...segments: readonly string[]): URL {
    return new URL(segments.map(encodeURIComponent).join('/'), this.#base)
  }

  balancers(): Promise<BalancersView> {
    return this.#ask('GET', ['balancers'])
  }

  balancer(name: string): Promise<BalancerView> {
    return this.#ask('GET', ['balancers', name])
  }

  history(name: string, range: string): Promise<HistoryView> {
    return this.#ask('GET', ['balancers', name, 'history'], { query: { range } })
  }

  /** The last `limit`. */
  failures(name: string, limit: number): Promise<FailuresView> {
    return this.#ask('GET', ['balancers', name, 'failures'], { query: { limit } })
  }

  server(): Promise<ServerView> {
    return this.#ask('GET', ['server'])
  }

  /** After `grace` (ms), connections are closed, and with `close` the app. */
  drainServer(grace: number, close: boolean): Promise<ServerView> {
    return this.#ask('PUT', ['server', 'state'], { body: { state: 'drain', grace, close } })
  }

  /** Ends a drain. */
  takeServerBack(): Promise<ServerView> {
    return this.#ask('PUT', ['server', 'state'], { body: { state: 'ready' } })
  }

  /** All processes that act as one; where there is only one, that one. */
  instances(): Promise<InstancesView> {
    return this.#ask('GET', ['instances'])
  }

  /** Replaces every instance by a new one. */
  restart(): Promise<RestartView> {
    return this.#ask('POST', ['server', 'restart'])
  }

  /** Resolves if the viewer may make changes. */
  operator(): Promise<unknown> {
    return this.#ask('GET', ['operator'])
  }

  /** `deadline` in ms. */
  setState(
    name: string,
    id: string,
    state: 'ready' | 'drain' | 'maintenance',
    { deadline, reason }: { readonly deadline?: number | undefined; readonly reason?: string | undefined } = {},
  ): Promise<unknown> {
    const body = { state, ...(deadline !== undefined && { deadline }), ...(reason !== undefined && { reason }) }
    return this.#ask('PUT', ['balancers', name, 'backends', id, 'state'], { body })
  }

  /** Only while the list is still at `revision`. */
  setWeight(name: string, id: string, weight: number, revision?: number): Promise<unknown> {
    return this.#ask('PATCH', ['balancers', name, 'backends', id], { body: { weight }, revision })
  }

  addBackend(name: string, body: NewBackend): Promise<BackendView> {
    return this.#ask('POST', ['balancers', name, 'backends'], { body })
  }

  /** `deadline` in ms. */
  removeBackend(name: string, id: string, { force, deadline }: ChangeTerms & { deadline?: number | undefined }) {
    return this.#ask('DELETE', ['balancers', name, 'backends', id], { query: { force, deadline } })
  }

  /** Restores the list of an earlier revision. */
  rollBack(name: string, to: number, { revision, force }: ChangeTerms): Promise<SetView> {
    return this.#ask('POST', ['balancers', name, 'rollback'], { body: { revision: to }, revision, query: { force } })
  }

  /** What that would change. */
  previewRollback(name: string, to: number): Promise<PreviewView> {
    return this.#ask('POST', ['balancers', name, 'rollback'], { body: { revision: to }, query: { dryRun: true } })
  }

  /** The options in force, without secrets. */
  configuration(name: string): Promise<ConfigurationView> {
    return this.#ask('GET', ['balancers', name, 'config'])
  }

  /** `ttl` in ms. */
  setCircuit(
    name: string,
    id: string,
    order: { state: 'open' | 'closed' | 'auto'; ttl?: number | undefined; reason?: string | undefined },
  ): Promise<CircuitView> {
    const body = order
    return this.#ask('PUT', ['balancers', name, 'backends', id, 'circuit'], { body })
  }

  probe(name: string, id: string): Promise<ProbeView> {
    return this.#ask('POST', ['balancers', name, 'backends', id, 'probe'])
  }

  tunnels(name: string): Promise<TunnelsView> {
    return this.#ask('GET', ['balancers', name, 'tunnels'])
  }

  /** Resolves once it is closed. */
  closeTunnel(name: string, id: string): Promise<unknown> {
    return this.#ask('DELETE', ['balancers', name, 'tunnels', id])
  }

  explain(name: string, request: DescribedRequest): Promise<ExplanationView> {
    return this.#ask('POST', ['balancers', name, 'explain'], { body: request })
  }

  async #ask<T>(
    method: string,
    path: readonly string[],
    { body, revision, query = {} }: RequestParts = {},
  ): Promise<T> {
    const url = this.url(...path)
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value))
    const response = await fetch(url, {
      method,
      cache: 'no-store',
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(revision !== undefined && { 'if-match': `"${revision}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new ApiError(0, { message: error instanceof Error ? error.message : String(error) })
    })
    // A browser does not tell the location; it is most likely a sign-in page.
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400))
      throw new ApiError(401, { message: 'The server redirects to another page' })
    if (!response.ok) throw await refusal(response)
    return (await response.json()) as T
  }
}
