import { Type, type Static } from '@sinclair/typebox'

const bytes = Type.Number({ description: 'Bytes' })

/** What an instance has of one balancer. */
const InstanceBalancerView = Type.Object({
  name: Type.String(),
  revision: Type.Integer({ description: 'Of the list in force there' }),
  digest: Type.String({
    description: 'Two instances with the same digest have the same list and the same orders in force',
  }),
  drift: Type.Boolean({ description: 'It is another than in most instances' }),
})

/** One process with the balancers. */
const InstanceView = Type.Object({
  id: Type.String({ description: 'Its host and process id, unless named otherwise' }),
  state: Type.Union([Type.Literal('starting'), Type.Literal('ready'), Type.Literal('draining')]),
  since: Type.Number({ description: 'When it started, in ms since the epoch' }),
  answered: Type.Boolean({
    description: 'False if it has not answered within 1 s: then the figures are those of its last heartbeat, or 0',
  }),
  process: Type.Object({
    pid: Type.Integer(),
    cpu: Type.Number({ description: 'Time on a core, as a share of one' }),
    rss: bytes,
    heapUsed: bytes,
    eventLoopUtilized: Type.Number({ description: 'From 0 to 1' }),
  }),
  exchanges: Type.Integer({ description: 'Requests in progress, of all balancers' }),
  tunnels: Type.Integer({ description: 'Of those, open tunnels' }),
  requests: Type.Integer({ description: 'Requests that have ended since its start' }),
  balancers: Type.Array(InstanceBalancerView),
})
/** One process with the balancers. */
export type InstanceView = Static<typeof InstanceView>

/** All processes that act as one. */
export const InstancesView = Type.Object({
  self: Type.String({ description: 'The id of the instance that answers' }),
  keeper: Type.String({
    description: 'The id of the instance that does what one does for all: shared probes, the file of `persist`',
  }),
  wanted: Type.Optional(
    Type.Integer({
      description:
        'How many instances there should be, where a parent process keeps them: fewer are there once one has failed',
    }),
  ),
  instances: Type.Array(InstanceView, { description: 'The oldest first' }),
})
/** All processes that act as one. */
export type InstancesView = Static<typeof InstancesView>
