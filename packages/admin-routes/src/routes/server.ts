import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Desk } from '../desk.ts'
import { BadRequestError } from '../errors.ts'
import { whenGone } from '../waiting/gone.ts'
import { IdleWatch } from '../waiting/idle.ts'
import { defaultWait, NoQuery, responses, waiting, WaitQuery } from '../schemas/request.ts'
import { ServerView } from '../schemas/views.ts'
import { tags, type Scope } from '../scope.ts'

/** Long enough for a load balancer that checks `/ready` every few seconds (ms). */
const defaultGrace = 10_000

const ServerOrder = Type.Object(
  {
    state: Type.Union([Type.Literal('ready'), Type.Literal('drain')]),
    grace: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 3_600_000,
        default: defaultGrace,
        description: 'With drain: time from `/ready` answering 503 until connections are closed (ms)',
      }),
    ),
    close: Type.Optional(Type.Boolean({ default: false, description: 'With drain: close the app after `grace`' })),
  },
  strict,
)

function viewOf({ serverState }: Desk): Static<typeof ServerView> {
  const { state, closesConnections, closesConnectionsAt, closesApp, exchanges, tunnels } = serverState
  return {
    state,
    closesConnections,
    ...(closesConnectionsAt !== undefined && { closesConnectionsAt }),
    ...(state === 'drain' && { closesApp }),
    exchanges,
    tunnels,
    idle: exchanges === 0,
  }
}

/** `GET /server`, `GET /server/wait` */
export function addServerRead(scope: Scope, desk: Desk): void {
  const watch = new IdleWatch('balancer-core:exchange:end')
  scope.addHook('preClose', async () => watch.close())
  scope.get(
    '/server',
    {
      schema: {
        tags,
        operationId: 'getServer',
        summary: 'State of the whole server',
        querystring: NoQuery,
        response: responses({ 200: { ...ServerView, description: 'The server' } }, 400),
      },
    },
    async () => viewOf(desk),
  )

  scope.get(
    '/server/wait',
    {
      ...waiting,
      schema: {
        tags,
        operationId: 'waitForServer',
        summary: 'Wait until no balancer has a request in flight, at most `timeout`',
        querystring: WaitQuery,
        response: responses(
          {
            200: { ...ServerView, description: 'Idle' },
            202: { ...ServerView, description: 'Not idle yet: ask again' },
          },
          400,
          503,
        ),
      },
    },
    async (request, reply) => {
      const { timeout = defaultWait } = request.query
      const { serverState: server } = desk
      const { clock } = desk.balancers.values().next().value as Balancer
      await watch.wait(
        () => server.exchanges === 0,
        clock,
        timeout,
        (leave) => whenGone(request, reply, leave),
      )
      const view = viewOf(desk)
      return reply.code(view.idle ? 200 : 202).send(view)
    },
  )
}

/** `PUT /server/state` */
export function addServerWrite(scope: Scope, desk: Desk): void {
  scope.put(
    '/server/state',
    {
      schema: {
        tags,
        operationId: 'setServerState',
        summary: 'Drain the whole server, or make it ready again',
        querystring: NoQuery,
        body: ServerOrder,
        response: responses({ 200: { ...ServerView, description: 'The server' } }, 400, 403, 413, 415),
      },
    },
    async (request) => {
      const { serverState: server } = desk
      const { state, grace, close } = request.body
      if (state === 'ready' && (grace !== undefined || close !== undefined))
        throw new BadRequestError(['grace, close: only allowed with drain'])
      const before = server.state
      if (state === 'drain') {
        const terms = { grace: grace ?? defaultGrace, close: close ?? false }
        server.drain(terms)
        desk.audit.recordOfServer(request, { what: 'server.state', before, after: state, terms })
      } else if (before !== state) {
        server.ready()
        desk.audit.recordOfServer(request, { what: 'server.state', before, after: state })
      }
      return viewOf(desk)
    },
  )
}
