import balancer, { type Balancer, type BalancerOptions, type Policy } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { listenApp } from '../../../test/support/app.ts'
import { ask } from '../../../test/support/ask.ts'
import { startBackend, type TestBackend } from '../../../test/support/backend.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { LogLines } from '../../../test/support/log-lines.ts'
import circuitBreaker, { type CircuitBreaker, type CircuitBreakerOptions } from '../src/index.ts'

/** How a backend answers. */
export type Behaviour = (response: ServerResponse, url: string) => void

export const good: Behaviour = (response) => void response.end('good')
export const broken: Behaviour = (response) => void response.socket!.destroy()
export const silent: Behaviour = () => {}
export const truncated: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': 100 })
  response.write('only this', () => response.socket!.destroy())
}
export const answering =
  (status: number): Behaviour =>
  (response) =>
    void response.writeHead(status).end('so it is')

/** Always the first that may be asked, so that it is known who that is. */
const inOrder: Policy = {
  name: 'in-order',
  over: (available) => ({ pick: () => available[0], peek: () => available[0] }),
}

/** Backends whose behaviour can be changed, behind a balancer with a breaker. Time stands still. */
export interface Stage {
  readonly app: FastifyInstance
  readonly url: string
  readonly clock: ManualClock
  readonly log: LogLines
  readonly balancer: Balancer
  readonly breaker: CircuitBreaker
  readonly backends: Readonly<Record<string, TestBackend>>
  readonly behaviour: Record<string, Behaviour>
  state(id: string): string
  /** One request: who answered it, and with what status. */
  get(path?: string): Promise<string>
  /** Lets a backend fail three times, so that its circuit opens. */
  trip(id?: string): Promise<void>
  /** The circuits' own lines of the log. */
  lines(): string[]
}

export interface StageOptions {
  readonly breaker?: CircuitBreakerOptions | false
  readonly balancer?: BalancerOptions
}

/** Starts one, with a backend for each letter of `ids`. */
export async function start(t: TestContext, ids: string, options: StageOptions = {}): Promise<Stage> {
  const behaviour: Record<string, Behaviour> = {}
  const backends: Record<string, TestBackend> = {}
  for (const id of ids) {
    behaviour[id] = good
    const listener: RequestListener = (request, response) => {
      response.setHeader('x-backend', id)
      behaviour[id]!(response, request.url!)
    }
    backends[id] = await startBackend(t, listener)
  }
  const clock = new ManualClock(5000)
  const log = new LogLines()
  const app = Fastify({ logger: log })
  await app.register(balancer, {
    backends: Object.entries(backends).map(([id, { url }]) => ({ id, url })),
    policy: inOrder,
    retry: { attempts: 0 },
    clock,
    random: () => 0.5,
    ...options.balancer,
  })
  if (options.breaker !== false) await app.register(circuitBreaker, options.breaker ?? {})
  const { url } = await listenApp(t, app)
  const state = (id: string) => app.circuitBreaker.of(id).state
  async function get(path = '/'): Promise<string> {
    const { status, headers } = await ask(url + path)
    return `${String(headers['x-backend'] ?? '-')} ${status}`
  }
  return {
    app,
    url,
    clock,
    log,
    balancer: app.balancer,
    breaker: app.circuitBreaker,
    backends,
    behaviour,
    state,
    get,
    async trip(id = 'a') {
      behaviour[id] = broken
      for (let count = 0; count < 3; count++) await get()
      assert.equal(state(id), 'open')
    },
    lines: () =>
      log.all.filter(({ msg }) => msg?.startsWith('circuit of ') === true).map(({ level, msg }) => `${level} ${msg}`),
  }
}
