// Room `routes/past`: what has been: figures of the last days, and failed requests.
import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { Desk } from '../../desk.ts'
import { historyView } from '../../history/history-view.ts'
import { ranges, type Range } from '../../history/resolutions.ts'
import { HistoryView } from '../../schemas/past-views.ts'
import { BalancerParams, responses } from '../../schemas/request.ts'
import { mergedHistory } from '../../instances/merging/merged-history.ts'
import { tags, type Scope } from '../../scope.ts'

const HistoryQuery = Type.Object(
  {
    range: Type.Optional(
      Type.Union(
        (Object.keys(ranges) as Range[]).map((range) => Type.Literal(range)),
        {
          default: '1h',
          description:
            'How far back: up to `1h` in steps of 10 s, `6h` in steps of 1 min, `24h` and `3d` in steps of 10 min',
        },
      ),
    ),
    backends: Type.Optional(Type.Boolean({ default: true, description: 'Also the figures of each backend' })),
  },
  strict,
)

interface HistoryQuestion {
  readonly balancer: string
  readonly range: Range
  readonly backends: boolean
}

/** `GET /balancers/:name/history` */
export function addHistory(scope: Scope, desk: Desk): void {
  const { instances, past } = desk
  instances.answer('history', async ({ balancer, range, backends }: HistoryQuestion) =>
    past.isHandedOver ? null : past.history(desk.balancer(balancer), range, backends),
  )
  scope.get(
    '/balancers/:name/history',
    {
      schema: {
        tags,
        operationId: 'getHistory',
        summary: 'What has ended at a balancer and its backends, in steps of time; the last step is unfinished',
        params: BalancerParams,
        querystring: HistoryQuery,
        response: responses({ 200: { ...HistoryView, description: 'The figures, in columns' } }, 400, 404),
      },
    },
    async ({ params, query: { range = '1h', backends = true } }, reply) => {
      const balancer = desk.balancer(params.name)
      if (instances.fleet === undefined) return historyView(desk.history.of(balancer), range, backends)
      const question: HistoryQuestion = { balancer: balancer.name, range, backends }
      const own = await past.history(balancer, range, backends)
      const { answers, missing } = await instances.ask<Static<typeof HistoryView> | null>('history', question)
      desk.tellMissing(reply, missing)
      return mergedHistory([own, ...answers.values()].filter((one) => one !== null))
    },
  )
}
