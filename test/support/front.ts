import balancer, { type Balancer, type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { listenApp, type TestApp } from './app.ts'
import { startBackend, type TestBackend } from './backend.ts'
import { LogLines } from './log-lines.ts'

/** The two ways in: the balancer's own catch-all route, and a route of the user's that calls `reply.forward()`. */
export const ways = ['the catch-all route', 'reply.forward()'] as const
export type Way = (typeof ways)[number]

/** An app with its logger on, what an app has in front of a balancer, and one backend behind it. */
export interface Front extends TestApp {
  readonly balancer: Balancer
  readonly backend: TestBackend
  readonly log: LogLines
  /** Connections ever opened to the backend. */
  readonly connections: number
  /** The backend has heard nothing: no request, no connection, and nothing was about to be sent. */
  assertUntouched(): void
}

export interface FrontOptions {
  /** Plugins and hooks of the app, as they are registered: before the balancer. */
  readonly before?: (app: FastifyInstance) => unknown
  /** What is registered once the balancer has loaded. */
  readonly after?: (app: FastifyInstance) => unknown
  readonly way?: Way
  /** Where the balancer's route stands, or the one that calls `reply.forward()`. */
  readonly prefix?: string
  /** Registers all of it, `before` included, in an encapsulated scope under this prefix. */
  readonly scope?: string
  readonly balancer?: BalancerOptions
  /** The backend's; without one it tells what it has received, see `Echo`. */
  readonly listener?: RequestListener
}

/** What the backend of a front tells of a request. */
export interface Echo {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly length: number
  /** As `digestOf` computes it. */
  readonly digest: string
}

export function digestOf(body: Buffer | string): string {
  return createHash('sha256').update(body).digest('hex')
}

/** Answers with what was received, as JSON. */
export async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const { method, url, headers } = request
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ method, url, headers, length: body.length, digest: digestOf(body) }))
}

async function forwardFrom(scope: FastifyInstance): Promise<void> {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  scope.all('/*', (_request, reply) => reply.forward())
}

/** Starts a front; all of it is closed when the test ends. */
export async function startFront(t: TestContext, options: FrontOptions = {}): Promise<Front> {
  const { before, after, way = ways[0], prefix = '/', scope, listener } = options
  const log = new LogLines()
  const backend = await startBackend(t, listener ?? ((request, response) => void echo(request, response)))
  let connections = 0
  backend.server.on('connection', () => connections++)
  const app = Fastify({ logger: log })
  let balanced: Balancer
  const assemble = async (instance: FastifyInstance) => {
    await before?.(instance)
    const route = way === 'the catch-all route'
    await instance.register(balancer, { ...options.balancer, prefix, backends: [backend.url], route })
    if (!route) await instance.register(forwardFrom, { prefix })
    await after?.(instance)
    balanced = instance.balancer
  }
  if (scope === undefined) await assemble(app)
  else await app.register(assemble, { prefix: scope })
  const listening = await listenApp(t, app)
  return {
    ...listening,
    balancer: balanced!,
    backend,
    log,
    get connections() {
      return connections
    },
    assertUntouched() {
      assert.deepEqual(
        backend.received.map(({ method, url }) => `${method} ${url}`),
        [],
      )
      assert.equal(connections, 0)
      assert.equal(balanced.backends[0]!.requests, 0)
    },
  }
}
