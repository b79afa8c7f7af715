// Room `top`: `fastify-balancer top`: a live table of a running balancer, over its admin API.
import type { Static } from '@sinclair/typebox'
import type { BackendView, BalancersView, BalancerView, FiguresEvent, ProbeView } from '@fastify-balancer/admin-routes'
import { CommandError } from '../command-error.ts'
import { harmless } from './harmless.ts'

type Balancers = Static<typeof BalancersView>
/** One balancer with its backends. */
export type Balancer = Static<typeof BalancerView>
/** One backend. */
export type Backend = BackendView
/** The traffic of one balancer in a second. */
export type Figures = FiguresEvent

/** One process of several that act as one, as the admin API tells of it. */
export interface Instance {
  readonly id: string
  readonly state: string
  readonly answered: boolean
  /** Its share of one core, from 0 to 1. */
  readonly process: { readonly cpu: number }
  readonly balancers: readonly { readonly name: string; readonly drift: boolean }[]
}

/** All processes that act as one. */
export interface Instances {
  /** How many there should be, where a parent process keeps them. */
  readonly wanted?: number
  readonly instances: readonly Instance[]
}

/** How long an answer may take (ms). */
const patience = 5000

/** The admin API of one server. What goes wrong is a `CommandError`, in words for the operator. */
export class AdminApi {
  /** Its address with its prefix, without a slash at the end. */
  readonly url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: URL, token: string | undefined) {
    const prefix = url.pathname === '/' ? '/_balancer' : url.pathname.replace(/\/+$/, '')
    this.url = `${url.origin}${prefix}`
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  }

  /** Every balancer, with its backends. */
  async balancers(): Promise<readonly Balancer[]> {
    const { balancers } = (await this.#json('/balancers')) as Partial<Balancers>
    if (!Array.isArray(balancers)) throw new CommandError(`${this.url} is no admin API`, 1)
    const views = balancers.map(({ name }) => this.#json(`/balancers/${encodeURIComponent(name)}`))
    return (await Promise.all(views)) as Balancer[]
  }

  /** The processes that act as one; undefined where the server does not tell. */
  async instances(): Promise<Instances | undefined> {
    const told = (await this.#json('/instances').catch(() => undefined)) as Partial<Instances> | undefined
    return Array.isArray(told?.instances) ? (told as Instances) : undefined
  }

  async setState(balancer: string, id: string, state: 'ready' | 'drain'): Promise<void> {
    await this.#json(`${placeOf(balancer, id)}/state`, 'PUT', { state })
  }

  async probe(balancer: string, id: string): Promise<Static<typeof ProbeView>> {
    return (await this.#json(`${placeOf(balancer, id)}/probe`, 'POST')) as Static<typeof ProbeView>
  }

  /** Tells of the traffic of each second, until `signal` aborts or the stream ends. */
  async follow(tell: (figures: Figures) => void, signal: AbortSignal): Promise<void> {
    const response = await this.#ask('/events?type=figures', { signal })
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const frames = (rest + chunk).split('\n\n')
      rest = frames.pop()!
      for (const frame of frames) {
        const data = /^data: (.*)$/m.exec(frame)?.[1]
        if (frame.startsWith('event: figures') && data !== undefined) tell(JSON.parse(data) as Figures)
      }
    }
  }

  async #json(path: string, method = 'GET', body?: object): Promise<unknown> {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const response = await this.#ask(path, { ...init, signal: AbortSignal.timeout(patience) })
    return response.json().catch(() => {
      throw new CommandError(`${this.url} is no admin API: its answer is no JSON`, 1)
    })
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...this.#headers, ...(init.body !== undefined && { 'content-type': 'application/json' }) }
    // A redirect would take the token elsewhere.
    const response = await fetch(this.url + path, { ...init, headers, redirect: 'error' }).catch((error: unknown) => {
      throw new CommandError(`cannot reach ${this.url}: ${whyNot(error)}`, 1)
    })
    if (!response.ok) throw await this.#refusal(response)
    return response
  }

  async #refusal(response: Response): Promise<CommandError> {
    const { status } = response
    const { message = '', code = '' } = (await response.json().catch(() => ({}))) as { message?: string; code?: string }
    const told = message === '' ? '' : `: ${harmless(message)}`
    if (status === 401) {
      const advice = 'authorization' in this.#headers ? 'the token is another' : 'it needs a token'
      return new CommandError(
        `${this.url} refused: ${advice}; give it by --admin-token-file or in BALANCER_ADMIN_TOKEN (401${told})`,
        1,
      )
    }
    if (status === 403) return new CommandError(`${this.url} refused (403${told})`, 1)
    // Whatever else answers there has other codes.
    if (status === 404 && (!code.startsWith('FST_BALANCER_') || code.endsWith('_UNKNOWN_ROUTE')))
      return new CommandError(
        `there is no admin API at ${this.url} (404): is it turned on, by --dashboard or \`admin\`, and is this its address?`,
        1,
      )
    return new CommandError(`${status}${told}`, 1)
  }
}

const placeOf = (balancer: string, id: string) =>
  `/balancers/${encodeURIComponent(balancer)}/backends/${encodeURIComponent(id)}`

/** Of an error of `fetch`, which hides it. */
function whyNot(error: unknown): string {
  const { name, message, cause } = error as Error & { readonly cause?: Error & { readonly code?: string } }
  if (name === 'TimeoutError') return `no answer within ${patience / 1000} s`
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there'
  return cause === undefined ? message : cause.message || (cause.code ?? message)
}
