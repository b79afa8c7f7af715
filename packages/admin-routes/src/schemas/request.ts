import { strict } from '@fastify-balancer/option-schema'
import { Type, type TSchema } from '@sinclair/typebox'
import { FaultView } from './views.ts'

/** The balancer that a path names. The scope's prefix may name other things. */
export const BalancerParams = Type.Object({ name: Type.String({ description: 'Of a balancer' }) })

/** The backend that a path names. */
export const BackendParams = Type.Object({
  ...BalancerParams.properties,
  id: Type.String({ description: 'Of a backend' }),
})

/** Of what takes no query: an order with one that is not understood, e.g. `dryRun`, must not be carried out. */
export const NoQuery = Type.Object({}, strict)

const dryRun = Type.Optional(Type.Boolean({ description: 'Only say what it would change' }))

const force = Type.Optional(
  Type.Boolean({ description: 'Do it although it leaves no usable backend, where there is one now' }),
)

/** Of what changes the list. */
export const ChangeQuery = Type.Object({ dryRun, force }, strict)

/** How long something may take. Without it, as long as an option says. */
export const deadline = Type.Optional(
  Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'ms; what is left then is cut. 0 = no deadline' }),
)

/** Of what takes a backend out of the list. */
export const RemovalQuery = Type.Object({ dryRun, force, deadline }, strict)

/** How long somebody waits who does not say so (ms). */
export const defaultWait = 30_000

const longestWait = 600_000

/** For Fastify's own limit: of what waits, the longest wait is none. */
export const waiting = { handlerTimeout: longestWait + 10_000 }

/** Of what waits. */
export const WaitQuery = Type.Object(
  {
    until: Type.Optional(Type.Literal('idle')),
    timeout: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: longestWait,
        default: defaultWait,
        description: 'Answers after so many ms, whatever has come of it',
      }),
    ),
  },
  strict,
)

/** Only if the list is still at this revision. */
export const ConditionalHeaders = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The `ETag` that the change is built on' })),
})

const faults: Readonly<Record<number, string>> = {
  400: 'Something is wrong with the request; `faults` names all of it, and nothing was changed',
  403: 'Refused: a page of another origin wanted to change something',
  404: 'There is no such balancer, backend or revision',
  409: 'It cannot be done as things are, and nothing was changed',
  412: '`If-Match` is stale; `current` is how it is now, and nothing was changed',
  413: 'The body is too large',
  415: 'The body is not JSON',
  503: 'There are as many who wait or watch as may be, or the app is closing: ask again after `retry-after`',
}

type Refusal = typeof FaultView

const refusal = (description: string): Refusal => ({ ...FaultView, description })

/** The responses of a route: what it answers when all is well, and the ways in which it may not be. */
export function responses<Good extends Record<number, TSchema>, Bad extends number = never>(
  good: Good,
  ...bad: Bad[]
): Good & Record<Bad | '4xx' | '5xx', Refusal> {
  const described = Object.fromEntries(bad.map((status) => [status, refusal(faults[status])]))
  return {
    ...good,
    ...(described as Record<Bad, Refusal>),
    '4xx': refusal('Refused, for instance by the hook that checks who asks'),
    '5xx': refusal('It failed. 507: the change is in force, but was not saved'),
  }
}
