// Room `api`: the admin API, as the page asks it.
import { ApiError } from './api-error.ts'
import type {
  BalancersView,
  BalancerView,
  CircuitView,
  ExplanationView,
  FaultView,
  ProbeView,
  ServerView,
} from './views.ts'

/** A request as somebody describes it, to be explained. */
export interface DescribedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[]>>
}

interface RequestParts {
  readonly body?: unknown
  readonly revision?: number
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

  /** `base`: where the routes are. */
  constructor(base: URL) {
    this.#base = base
  }

  /** Where a route is; segments are encoded here. */
  url(...segments: readonly string[]): URL {
    return new URL(segments.map(encodeURIComponent).join('/'), this.#base)
  }

  balancers(): Promise<BalancersView> {
    return this.#ask('GET', ['balancers'])
  }

  balancer(name: string): Promise<BalancerView> {
    return this.#ask('GET', ['balancers', name])
  }

  server(): Promise<ServerView> {
    return this.#ask('GET', ['server'])
  }

  /** `grace` in ms: then connections are closed. `close`: and the app. */
  drainServer(grace: number, close: boolean): Promise<ServerView> {
    return this.#ask('PUT', ['server', 'state'], { body: { state: 'drain', grace, close } })
  }

  /** Calls a drain off. */
  takeServerBack(): Promise<ServerView> {
    return this.#ask('PUT', ['server', 'state'], { body: { state: 'ready' } })
  }

  /** Answers if the viewer may change something. */
  operator(): Promise<unknown> {
    return this.#ask('GET', ['operator'])
  }

  /** `deadline` in ms. */
  setState(name: string, id: string, state: 'ready' | 'drain' | 'maintenance', deadline?: number): Promise<unknown> {
    const body = { state, ...(deadline !== undefined && { deadline }) }
    return this.#ask('PUT', ['balancers', name, 'backends', id, 'state'], { body })
  }

  /** Only while the list is still at `revision`. */
  setWeight(name: string, id: string, weight: number, revision: number): Promise<unknown> {
    return this.#ask('PATCH', ['balancers', name, 'backends', id], { body: { weight }, revision })
  }

  /** `ttl` in ms. */
  setCircuit(name: string, id: string, state: 'open' | 'closed' | 'auto', ttl?: number): Promise<CircuitView> {
    const body = { state, ...(ttl !== undefined && { ttl }) }
    return this.#ask('PUT', ['balancers', name, 'backends', id, 'circuit'], { body })
  }

  probe(name: string, id: string): Promise<ProbeView> {
    return this.#ask('POST', ['balancers', name, 'backends', id, 'probe'])
  }

  explain(name: string, request: DescribedRequest): Promise<ExplanationView> {
    return this.#ask('POST', ['balancers', name, 'explain'], { body: request })
  }

  async #ask<T>(method: string, path: readonly string[], { body, revision }: RequestParts = {}): Promise<T> {
    const response = await fetch(this.url(...path), {
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
    // A browser does not tell where to; it is to sign in, where that is done on a page.
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400))
      throw new ApiError(401, { message: 'The server leads to another page' })
    if (!response.ok) throw await refusal(response)
    return (await response.json()) as T
  }
}
