import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import { Value } from '@sinclair/typebox/value'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { get, wireClient, type WireClient } from '../../../../test/conformance/wire-client.ts'
import { listenApp, type TestApp } from '../../../../test/support/app.ts'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import { Desk } from '../../src/desk.ts'
import { EventLog } from '../../src/events/event-log.ts'
import { EventStreams } from '../../src/events/event-streams.ts'
import { BalancerEvent } from '../../src/events/event.ts'
import { addEvents } from '../../src/routes/events.ts'
import { parseOptions, type AdminRoutesOptions } from '../../src/options.ts'

/** The time at which everything happens. */
export const at = 1_700_000_000_000

/** An app with a balancer of three backends, on which nobody listens, and the events of it. Time stands still. */
export interface Stage extends TestApp {
  readonly clock: ManualClock
  readonly streams: EventStreams
}

export interface StageOptions {
  readonly events?: NonNullable<AdminRoutesOptions['events']>
  readonly balancer?: BalancerOptions
  readonly server?: FastifyServerOptions
  /** Registered after the balancer. */
  readonly plugins?: (app: FastifyInstance) => unknown
  /** Done with the scope of the events, before they are registered. */
  readonly scope?: (scope: FastifyInstance) => unknown
  readonly epoch?: string
}

/** What the events of an app are added with, where nobody checks who asks. */
export function deskOf(app: FastifyInstance, events: StageOptions['events'] = {}): Desk {
  return new Desk(app, parseOptions({ insecure: true, events }))
}

export const backends = ['a', 'b', 'c'].map((id, index) => ({ id, url: `http://127.0.0.1:${index + 1}` }))

export async function start(t: TestContext, options: StageOptions = {}): Promise<Stage> {
  const clock = new ManualClock(5000)
  const app = Fastify(options.server)
  await app.register(balancer, { backends, clock, ...options.balancer })
  await options.plugins?.(app)
  const desk = deskOf(app, options.events)
  const { events } = desk.options
  const streams = new EventStreams(new EventLog(events.keep, options.epoch ?? 'e'), events, clock, () => at)
  await app.register(
    async (scope) => {
      await options.scope?.(scope)
      addEvents(scope, desk, streams)
    },
    { prefix: '/_balancer' },
  )
  return { ...(await listenApp(t, app)), clock, streams }
}

/** A client that reads events as they are on the wire. */
export interface Reader extends WireClient {
  /** The header fields, in small letters. */
  readonly head: string
  /** Every event so far. Each is as its schema says, and is named and numbered as in its data. */
  readonly events: BalancerEvent[]
  /** Waits for so many events in all. */
  take(count: number): Promise<BalancerEvent[]>
}

/** The events in a stream; the chunks' sizes stand in lines of their own. */
export function eventsIn(text: string): BalancerEvent[] {
  return [...text.matchAll(/^id: (.*)\nevent: (.*)\ndata: (.*)\n\n/gm)].map(([, id, type, data]) => {
    const event = JSON.parse(data!) as BalancerEvent
    assert.deepEqual([...Value.Errors(BalancerEvent, event)], [])
    assert.deepEqual([event.id, event.type], [id, type])
    return event
  })
}

/** Asks for events, and waits for what comes at once. */
export async function read(t: TestContext, { port }: TestApp, query = '', ...fields: string[]): Promise<Reader> {
  const client = await wireClient(t, port)
  client.send(get(`/_balancer/events${query}`, ...fields))
  await client.until(/retry: \d+\nid: [^\n]*\n\n/)
  let looked = 0
  let count = 0
  const counted = () => {
    const { received } = client
    for (let found = received.indexOf('\n\n', looked); found !== -1; found = received.indexOf('\n\n', looked)) {
      if (received.slice(looked, found).includes('\nevent: ')) count++
      looked = found + 2
    }
    return count
  }
  return Object.defineProperties(client, {
    head: { get: () => client.received.slice(0, client.received.indexOf('\r\n\r\n')).toLowerCase() },
    events: { get: () => eventsIn(client.received) },
    take: {
      value: async (wanted: number) => {
        await until(`${wanted} events have come`, () => counted() >= wanted)
        return eventsIn(client.received)
      },
    },
  }) as Reader
}

/** What is particular of an event. */
export function told({ id: _id, at: _at, ...rest }: BalancerEvent): Record<string, unknown> {
  return rest
}
