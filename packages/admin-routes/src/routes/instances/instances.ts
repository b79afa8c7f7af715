// Room `routes/instances`: the processes that act as one.
import { processFigures, wantedInstances } from '@fastify-balancer/option-schema'
import type { Desk } from '../../desk.ts'
import type { Instance } from '../../instances/fleet.ts'
import { instancesView, toldInstance, type ToldInstance } from '../../instances/instance-list.ts'
import { InstancesView } from '../../schemas/instance-views.ts'
import { NoQuery, responses } from '../../schemas/request.ts'
import { tags, type Scope } from '../../scope.ts'

/** `GET /instances` */
export function addInstances(scope: Scope, desk: Desk): void {
  const { instances, balancers, serverState } = desk
  const { fleet } = instances
  const since = Date.now()
  const figures = processFigures()
  /** Alone, it has announced nothing. */
  const self = (): Instance => ({ id: instances.self, since, state: 'ready', about: {} })
  /** A drain of the server is one of every instance. */
  const drained = (one: Instance): Instance =>
    serverState.state === 'drain' && one.state === 'ready' ? Object.assign({}, one, { state: 'draining' }) : one
  const told = async (): Promise<ToldInstance> => {
    const list = [...balancers.keys()].map((name) => [`list/${name}`, fleet?.list(name)?.inForce()] as const)
    return toldInstance(balancers, figures(), Object.fromEntries(list))
  }
  instances.answer('instance', told)
  scope.get(
    '/instances',
    {
      schema: {
        tags,
        operationId: 'listInstances',
        summary: 'The processes that act as one, with their load and the lists in force there',
        querystring: NoQuery,
        response: responses({ 200: { ...InstancesView, description: 'All instances' } }, 400),
      },
    },
    async (_request, reply) => {
      const [own, { answers, missing }] = await Promise.all([told(), instances.ask<ToldInstance>('instance', null)])
      desk.tellMissing(reply, missing)
      const all = fleet?.instances ?? [self()]
      const keeper = fleet?.keeper ?? instances.self
      const view = instancesView(instances.self, keeper, all.map(drained), new Map([...answers, [instances.self, own]]))
      const wanted = wantedInstances(all)
      return wanted === undefined ? view : { ...view, wanted }
    },
  )
}
