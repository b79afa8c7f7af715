import { strict } from '@fastify-balancer/option-schema'
import { Type, type TSchema } from '@sinclair/typebox'
import { FaultView } from './views.ts'

/** The balancer named in the path. Open to other parameters, from the scope's prefix. */
export const BalancerParams = Type.Object({ name: Type.String({ description: 'Name of the balancer' }) })

/** The backend named in the path. */
export const BackendParams = Type.Object({
  ...BalancerParams.properties,
  id: Type.String({ description: 'Id of the backend' }),
})

/** The tunnel named in the path. */
export const TunnelParams = Type.Object({
  ...BalancerParams.properties,
  id: Type.String({ description: 'Id of the tunnel' }),
})

/** Default `limit` of lists that come in pages. */
export const defaultLimit = 100

/** The query of a list of tunnels. */
export const TunnelsQuery = Type.Object(
  {
    backend: Type.Optional(Type.String({ description: 'Only those to the backend with this id' })),
    after: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}(@.{1,200})?$',
        description: '`next` of the page before',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: defaultLimit, description: 'Most tunnels of one page' }),
    ),
  },
  strict,
)

/** For routes without a query: a request with an unknown one, e.g. `dryRun`, must not be carried out. */
export const NoQuery = Type.Object({}, strict)

const dryRun = Type.Optional(Type.Boolean({ description: 'Change nothing, only answer what would change' }))

const force = Type.Optional(Type.Boolean({ description: 'Make the change even if no usable backend is left' }))

/** The query of list changes. */
export const ChangeQuery = Type.Object({ dryRun, force }, strict)

/** How long a drain may take. By default, the balancer's option `drainDeadline`. */
export const deadline = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 2_147_483_647,
    description:
      'Requests still in flight then are aborted, and tunnels closed (ms; 0 = no deadline). Default: the option `drainDeadline`',
  }),
)

/** The query of a removal. */
export const RemovalQuery = Type.Object({ dryRun, force, deadline }, strict)

/** Default `timeout` of waiting routes (ms). */
export const defaultWait = 30_000

const longestWait = 600_000

/** Fastify's handler timeout for waiting routes: longer than the longest wait. */
export const waiting = { handlerTimeout: longestWait + 10_000 }

/** The query of waiting routes. */
export const WaitQuery = Type.Object(
  {
    until: Type.Optional(Type.Literal('idle')),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: longestWait,
        default: defaultWait,
        description: 'Longest wait (ms)',
      }),
    ),
  },
  strict,
)

/** A change with `If-Match` is made only if the list is still at that revision. */
export const ConditionalHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The `ETag` of the list that the change is based on' })),
})

const faults: Readonly<Record<number, string>> = {
  400: 'Invalid request; `faults` lists everything that is wrong. Nothing was changed',
  403: 'Refused: a change by a page of another origin',
  404: 'No such balancer, backend, tunnel or revision',
  409: 'Not possible in the current state. Nothing was changed',
  412: '`If-Match` is stale; `current` is the current list. Nothing was changed',
  413: 'The body is too large',
  415: 'The body is not JSON',
  503: 'Too many waiting requests or event streams, or the app is closing: retry after `retry-after`',
}

type Refusal = typeof FaultView

const refusal = (description: string): Refusal => ({ ...FaultView, description })

/** The responses of a route: `good` ones, and the errors with the statuses `bad`. */
export function responses<Good extends Record<number, TSchema>, Bad extends number = never>(
  good: Good,
  ...bad: Bad[]
): Good & Record<Bad | '4xx' | '5xx', Refusal> {
  const described = Object.fromEntries(bad.map((status) => [status, refusal(faults[status])]))
  return {
    ...good,
    ...(described as Record<Bad, Refusal>),
    '4xx': refusal('Refused, e.g. by the authentication hook'),
    '5xx': refusal('Failed. 507: the change is in force, but was not saved'),
  }
}
