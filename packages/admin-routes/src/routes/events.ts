import { Type } from '@sinclair/typebox'
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Desk } from '../desk.ts'
import { UnknownBalancerError } from '../errors.ts'
import { responses } from '../schemas/request.ts'
import { tags, type Scope } from '../scope.ts'
import { BalancerEvent } from '../events/event.ts'
import { EventLog } from '../events/event-log.ts'
import { EventStreams } from '../events/event-streams.ts'
import { EventsQuery, figuresFilterOf } from '../events/event-filter.ts'
import { Figures } from '../figures/figures.ts'
import { FiguresEvent } from '../figures/figures-event.ts'
import { SharedEvents } from '../events/shared-events.ts'
import { watchBalancers } from '../events/sources.ts'

const schema = {
  tags,
  operationId: 'watchEvents',
  summary: 'Stream of everything that happens to the balancers (server-sent events)',
  querystring: EventsQuery,
  response: {
    200: {
      description: 'An endless stream',
      content: { 'text/event-stream': { schema: Type.Union([BalancerEvent, FiguresEvent]) } },
    },
    ...responses({}, ...([400, 404, 503] as const)),
  },
}

/** `no-transform`: compression would buffer events. */
const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
}

/** Ends the streams when the app begins to close, before balancers drain: that may take long. */
function endWith(app: FastifyInstance, end: () => void): void {
  // The `onClose` hook added last runs first. The other two hooks are for an app that never became ready.
  app.addHook('onReady', async () => void app.addHook('onClose', async () => end()))
  app.addHook('preClose', async () => end())
  app.addHook('onClose', async () => end())
}

/** Hijacks the reply: `onSend` hooks, e.g. compression, would buffer events. */
function begin(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply
  reply.hijack()
  // There is no next request after an endless stream, and closing the app must not wait for one.
  if (request.raw.httpVersionMajor === 1) raw.shouldKeepAlive = false
  raw.writeHead(200, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headers })
}

/** With a random epoch for event ids, so that ids of an earlier process are recognised. */
function streamsOf({ options: { events }, balancers }: Desk): EventStreams {
  const { clock } = balancers.values().next().value!
  return new EventStreams(new EventLog(events.keep, randomBytes(6).toString('hex')), events, clock, Date.now)
}

/** `GET /events`; all streams end when the app closes. */
export function addEvents(scope: Scope, desk: Desk, streams = streamsOf(desk)): void {
  const { clock, wallClock } = streams
  const { instances } = desk
  const shared = new SharedEvents(instances, streams.log, (event, origin) => streams.tell(event, origin))
  const stop = watchBalancers(scope, wallClock, (event) => shared.tell(event), instances.fleet)
  if (instances.fleet !== undefined) scope.addHook('onReady', async () => shared.join())
  const figures = new Figures(scope, desk, clock, wallClock, (told) => streams.tellFigures(told))
  endWith(scope, () => {
    stop()
    figures.close()
    streams.close()
  })

  scope.get('/events', { schema, exposeHeadRoute: true }, async (request, reply) => {
    const { query } = request
    if (query.balancer !== undefined && !desk.balancers.has(query.balancer))
      throw new UnknownBalancerError(query.balancer)
    if (request.method === 'HEAD') {
      begin(request, reply)
      reply.raw.end()
      return
    }
    streams.assertRoom()
    begin(request, reply)
    const last = request.headers['last-event-id'] ?? query.lastEventId
    streams.add(request, reply, query, typeof last === 'string' ? last : undefined)
    if (figuresFilterOf(query) !== undefined) figures.start()
  })
}
