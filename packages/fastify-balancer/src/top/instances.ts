import type { Instance, Instances } from './admin-api.ts'
import { harmless } from './harmless.ts'
import { fitting, type Paint } from './table.ts'

/** One that is starting cannot answer yet. */
const stateOf = ({ state, answered }: Instance) => (answered || state === 'starting' ? state : 'silent')

/** What instances use another list for than the others: `web-1:4711 (api)`. */
function driftsOf(instances: readonly Instance[]): readonly string[] {
  return instances.flatMap((one) => {
    const names = one.state === 'starting' ? [] : one.balancers.filter(({ drift }) => drift).map(({ name }) => name)
    return names.length === 0 ? [] : harmless(`${one.id} (${names.join(', ')})`)
  })
}

/** How many instances are how, and which ones drift, in one line; undefined where there is only one. */
export function instancesLine(told: Instances | undefined, width: number, paint: Paint): string | undefined {
  const instances = told?.instances ?? []
  if (instances.length < 2) return undefined
  const counts = [...Map.groupBy(instances, stateOf)].map(([state, some]) => `${some.length} ${harmless(state)}`)
  const cpu = instances.reduce((sum, { process }) => sum + process.cpu, 0)
  const text = fitting(`${instances.length} instances: ${counts.join(', ')} · CPU ${(100 * cpu).toFixed(0)} %`, width)
  const drifts = driftsOf(instances)
  const alarm = drifts.length === 0 ? '' : `  another list: ${drifts.join(', ')}`
  return text + paint('red', fitting(alarm, width - text.length))
}
