import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { Balancer } from '@fastify-balancer/balancer-core'
import type { Desk } from '../desk.ts'
import { BadRequestError } from '../errors.ts'
import { mergedServer } from '../instances/merging/merged-server.ts'
import type { ServerDrainOptions } from '../server-state.ts'
import { whenGone } from '../waiting/gone.ts'
import { IdleWatch, longerToAnswer } from '../waiting/idle.ts'
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

type View = Static<typeof ServerView>

/** An order that another instance has got. */
interface ServerOrderFrom {
  readonly state: 'ready' | 'drain'
  readonly terms: ServerDrainOptions
}

function viewOf({ serverState }: Desk): View {
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
  const { instances, serverState: server } = desk
  const wait = (timeout: number, onGone: (leave: () => void) => void) => {
    const { clock } = desk.balancers.values().next().value as Balancer
    return watch.wait(() => server.exchanges === 0, clock, timeout, onGone)
  }
  instances.answer('server', () => viewOf(desk))
  instances.answer('server-wait', async (timeout: number) => {
    await wait(timeout, () => {})
    return viewOf(desk)
  })
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
    async (_request, reply) => {
      const { answers, missing } = await instances.ask<View>('server', null)
      desk.tellMissing(reply, missing)
      return mergedServer([viewOf(desk), ...answers.values()])
    },
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
      const [{ answers, missing }] = await Promise.all([
        instances.ask<View>('server-wait', timeout, undefined, timeout + longerToAnswer),
        wait(timeout, (leave) => whenGone(request, reply, leave)),
      ])
      desk.tellMissing(reply, missing)
      const view = mergedServer([viewOf(desk), ...answers.values()])
      const idle = view.idle && missing.length === 0
      return reply.code(idle ? 200 : 202).send({ ...view, idle })
    },
  )
}

/** `PUT /server/state` */
export function addServerWrite(scope: Scope, desk: Desk): void {
  const { instances, serverState: server } = desk
  const carryOut = ({ state, terms }: ServerOrderFrom) => {
    if (state === 'drain') server.drain(terms)
    else if (server.state !== state) server.ready()
  }
  instances.answer('server-order', (order: ServerOrderFrom) => {
    carryOut(order)
    return viewOf(desk)
  })
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
    async (request, reply) => {
      const { state, grace, close } = request.body
      if (state === 'ready' && (grace !== undefined || close !== undefined))
        throw new BadRequestError(['grace, close: only allowed with drain'])
      const before = server.state
      const terms = { grace: grace ?? defaultGrace, close: close ?? false }
      // First, since this one may close at once.
      const { answers, missing } = await instances.ask<View>('server-order', { state, terms })
      desk.tellUnconfirmed(reply, missing)
      carryOut({ state, terms })
      if (state === 'drain') {
        desk.audit.recordOfServer(request, { what: 'server.state', before, after: state, terms })
      } else if (before !== state) {
        desk.audit.recordOfServer(request, { what: 'server.state', before, after: state })
      }
      return mergedServer([viewOf(desk), ...answers.values()])
    },
  )
}
