import type { AdminApi, Balancer } from './admin-api.ts'
import { instancesLine } from './instances.ts'
import { sectionsOf } from './sections.ts'
import { painter, tableOf } from './table.ts'
import { RecentTraffic } from './traffic.ts'

/** How long figures are waited for (ms): the server tells them each second. */
const patience = 5000

/** Of one period of every balancer, or as many as came in time. */
async function figuresOf(api: AdminApi, balancers: readonly Balancer[]): Promise<RecentTraffic> {
  const recent = new RecentTraffic()
  const enough = new AbortController()
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(patience)])
  await api
    .follow((figures) => {
      recent.add(figures)
      if (balancers.every(({ name }) => recent.has(name))) enough.abort()
    }, signal)
    .catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  return recent
}

/** The table as text, with the figures of one second. @throws CommandError */
export async function tableOnce(api: AdminApi, width: number, isColoured: boolean): Promise<string> {
  const recent = await figuresOf(api, await api.balancers())
  const paint = painter(isColoured)
  const [balancers, instances] = await Promise.all([api.balancers(), api.instances()])
  const line = instancesLine(instances, width, paint)
  const table = tableOf(sectionsOf(balancers, recent), width, paint).map(({ text }) => text)
  return `${[...(line === undefined ? [] : [line, '']), ...table].join('\n')}\n`
}
