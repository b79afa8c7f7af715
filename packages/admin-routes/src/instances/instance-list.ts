import type { Balancer } from '@fastify-balancer/balancer-core'
import { createHash } from 'node:crypto'
import type { InstancesView, InstanceView } from '../schemas/instance-views.ts'
import type { Instance } from './fleet.ts'

/** What an instance answers about itself. */
export interface ToldInstance extends Pick<InstanceView, 'process' | 'exchanges' | 'tunnels' | 'requests'> {
  readonly balancers: readonly Omit<InstanceView['balancers'][number], 'drift'>[]
}

/** The fields of a list that are in force. */
interface InForce {
  readonly revision: number
  readonly digest: string
}

const noProcess = { pid: 0, cpu: 0, rss: 0, heapUsed: 0, eventLoopUtilized: 0 }

/** Of an instance that is alone: nobody has another list. */
function ownDigest({ set, listed }: Balancer): string {
  const orders = set.all.filter(({ state }) => state !== 'ready').map(({ id, state }) => [id, state])
  return createHash('sha256')
    .update(JSON.stringify([set.revision, listed, orders]))
    .digest('hex')
    .slice(0, 12)
}

/** What this instance tells of itself; `about` is what it announces. */
export function toldInstance(
  balancers: ReadonlyMap<string, Balancer>,
  process: InstanceView['process'],
  about: Instance['about'] | undefined,
): ToldInstance {
  const all = [...balancers.values()]
  const sum = (of: (balancer: Balancer) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    process,
    exchanges: sum(({ exchanges }) => exchanges),
    tunnels: sum(({ tunnels }) => tunnels.size),
    requests: sum(({ totals }) => totals.toJSON().requests),
    balancers: all.map((balancer) => {
      const { name, set } = balancer
      const told = about?.[`list/${name}`] as InForce | undefined
      return { name, revision: told?.revision ?? set.revision, digest: told?.digest ?? ownDigest(balancer) }
    }),
  }
}

/** Of one that does not answer: what it has announced. */
function announced({ about }: Instance): ToldInstance {
  const lists = Object.entries(about).filter(([name]) => name.startsWith('list/'))
  return {
    process: (about['process'] as InstanceView['process'] | undefined) ?? noProcess,
    exchanges: 0,
    tunnels: 0,
    requests: 0,
    balancers: lists.map(([name, list]) => Object.assign({ name: name.slice('list/'.length) }, list as InForce)),
  }
}

/** For each balancer, what most instances have; of equally many, the newest revision. */
function usualDigests(told: readonly ToldInstance[]): ReadonlyMap<string, string> {
  const byName = Map.groupBy(
    told.flatMap(({ balancers }) => balancers),
    ({ name }) => name,
  )
  const usual = [...byName].map(([name, all]) => {
    const same = [...Map.groupBy(all, ({ digest }) => digest)]
    const [best] = same.toSorted(
      ([oneDigest, one], [otherDigest, other]) =>
        other.length - one.length || other[0]!.revision - one[0]!.revision || (oneDigest < otherDigest ? -1 : 1),
    )
    return [name, best![0]] as const
  })
  return new Map(usual)
}

/** All instances with what they have answered, by their ids. */
export function instancesView(
  self: string,
  keeper: string,
  all: readonly Pick<Instance, 'id' | 'state' | 'since' | 'about'>[],
  answers: ReadonlyMap<string, ToldInstance>,
): InstancesView {
  const told = all.map((one) => answers.get(one.id) ?? announced(one))
  const usual = usualDigests(told)
  const instances = all.map(({ id, state, since }, index) => {
    const { balancers, ...figures } = told[index]!
    return {
      id,
      state,
      since,
      answered: answers.has(id),
      ...figures,
      balancers: balancers.map((one) => Object.assign({}, one, { drift: usual.get(one.name) !== one.digest })),
    }
  })
  return { self, keeper, instances }
}
