import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { TestContext } from 'node:test'
import { LogLines } from '../../../test/support/log-lines.ts'
import adminRoutes, { type AdminNotice, type AdminRoutesOptions } from '../src/index.ts'

/** Nobody listens there; nothing is sent to them either. */
export const a = { id: 'a', url: 'http://127.0.0.1:1' }
export const b = { id: 'b', url: 'http://127.0.0.1:2', weight: 2, zone: 'z', tags: ['canary'] }

export interface StageOptions {
  readonly balancer?: BalancerOptions
  readonly admin?: AdminRoutesOptions
  /** Registered between the balancer and the routes. */
  readonly between?: (app: FastifyInstance) => unknown
}

/** What a route has answered. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: any
}

/** An app with a balancer of `a` and `b`, and the routes; it keeps all changes that were told. */
export async function stage(t: TestContext, { balancer: balanced = {}, admin, between }: StageOptions = {}) {
  const log = new LogLines()
  const app = Fastify({ logger: log })
  t.after(() => app.close())
  await app.register(balancer, { backends: [a, b], ...balanced })
  await between?.(app)
  await app.register(adminRoutes, admin ?? { insecure: true })
  await app.ready()
  const told: AdminNotice[] = []
  const listen = (change: unknown) => void told.push(change as AdminNotice)
  subscribe('admin-routes:change', listen)
  t.after(() => unsubscribe('admin-routes:change', listen))
  const ask = async (
    method: string,
    path: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const answer = await app.inject({
      method: method as 'GET',
      url: `/_balancer${path}`,
      headers,
      ...(payload !== undefined && { payload: payload as NonNullable<InjectOptions['payload']> }),
    })
    const { statusCode: status } = answer
    return { status, headers: answer.headers, body: answer.body === '' ? undefined : JSON.parse(answer.body) }
  }
  const list = () => app.balancer.backends.map(({ id, weight }) => `${id} ${weight}`)
  return { app, ask, told, log, list }
}

/** It is what the schema says, and holds nothing that the schema does not name. */
export function assertIs(schema: TSchema, value: unknown): void {
  assert.deepEqual([...Value.Errors(schema, value)], [])
  assert.deepEqual(Value.Clean(schema, structuredClone(value)), value)
}
