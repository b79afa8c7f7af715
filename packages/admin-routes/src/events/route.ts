import { withDefaults } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import type { Clock } from '@fastify-balancer/balancer-core'
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OutgoingHttpHeaders } from 'node:http'
import { UnknownBalancerError } from '../errors.ts'
import { Extensions } from '../extensions.ts'
import { responses } from '../schemas/request.ts'
import { BalancerEvent } from './event.ts'
import { EventLog } from './event-log.ts'
import { EventStreams } from './event-streams.ts'
import { EventsQuery, figuresFilterOf } from './event-filter.ts'
import { Figures } from './figures.ts'
import { FiguresEvent } from './figures-event.ts'
import { EventsOptions, type EventsSettings } from './options.ts'
import { watchBalancers } from './sources.ts'

/** Where time comes from, and what tells one process from another. */
export interface EventsSurroundings {
  /** For the heartbeat; default: that of the first balancer. */
  readonly clock?: Clock
  /** The time in ms since the epoch; default: `Date.now`. */
  readonly wallClock?: () => number
  /** The part of the ids that is another after each restart: letters and digits; default: drawn at random. */
  readonly epoch?: string
}

const schema = {
  tags: ['load-balancer'],
  operationId: 'watchEvents',
  summary: 'What happens to the balancers, as server-sent events',
  querystring: EventsQuery,
  response: {
    200: {
      description: 'Without end',
      content: { 'text/event-stream': { schema: Type.Union([BalancerEvent, FiguresEvent]) } },
    },
    ...responses({}, ...([400, 404, 503] as const)),
  },
}

/** The transform would be a compression that holds back what it has until it is worth its while. */
const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

/** Ends the streams when the app begins to close: before balancers drain, which may take long. */
function endWith(app: FastifyInstance, end: () => void): void {
  // What is added last is called first. An app that never became ready has nothing but the other two.
  app.addHook('onReady', async () => void app.addHook('onClose', async () => end()))
  app.addHook('preClose', async () => end())
  app.addHook('onClose', async () => end())
}

/** Takes the response out of Fastify's hands: its `onSend` hooks, e.g. compression, would hold back events. */
function begin(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply
  reply.hijack()
  // A stream without end has no next request, and closing the app must not wait for one.
  if (request.raw.httpVersionMajor === 1) raw.shouldKeepAlive = false
  raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers })
}

/**
 * Adds `GET /events` to a scope, whose hooks decide who may ask, and ends everything when the app closes. Options are
 * taken as checked by `EventsOptions`. Returns the streams, to be counted.
 */
export function registerEvents(
  scope: FastifyInstance,
  options: EventsOptions = {},
  surroundings: EventsSurroundings = {},
): EventStreams {
  const settings: EventsSettings = withDefaults(EventsOptions, options)
  const { wallClock = Date.now, epoch = randomBytes(6).toString('hex') } = surroundings
  const clock = surroundings.clock ?? scope.balancers.values().next().value!.clock
  const streams = new EventStreams(new EventLog(settings.keep, epoch), settings, clock, wallClock)
  const stop = watchBalancers(scope, wallClock, (event) => streams.tell(event))
  const extensions = new Extensions(scope)
  const figures = new Figures(scope, extensions, clock, wallClock, (told) => streams.tellFigures(told))
  endWith(scope, () => {
    stop()
    figures.stop()
    streams.close()
  })

  scope.get<{ Querystring: EventsQuery }>('/events', { schema, exposeHeadRoute: true }, async (request, reply) => {
    const { query } = request
    if (query.balancer !== undefined && !scope.balancers.has(query.balancer))
      throw new UnknownBalancerError(query.balancer)
    if (request.method === 'HEAD') {
      begin(request, reply)
      reply.raw.end()
      return
    }
    streams.assertRoom()
    begin(request, reply)
    const last = request.headers['last-event-id'] ?? query.lastEventId
    streams.add(reply.raw, query, typeof last === 'string' ? last : undefined)
    if (figuresFilterOf(query) !== undefined) figures.start()
  })
  return streams
}
