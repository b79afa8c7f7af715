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

/** How many there should be, where there are fewer. Those that drain go; if all do, that is an order. */
function moreWanted({ wanted, instances }: Instances): number | undefined {
  const staying = instances.filter(({ state }) => state !== 'draining').length
  return wanted !== undefined && staying > 0 && staying < wanted ? wanted : undefined
}

/**
 * How many instances are how, which ones drift, and whether there should be more, in one line; undefined where there is only
 * one, and only one is wanted.
 */
export function instancesLine(told: Instances | undefined, width: number, paint: Paint): string | undefined {
  if (told === undefined) return undefined
  const { instances } = told
  const wanted = moreWanted(told)
  if (instances.length < 2 && wanted === undefined) return undefined
  const counts = [...Map.groupBy(instances, stateOf)].map(([state, some]) => `${some.length} ${harmless(state)}`)
  const cpu = instances.reduce((sum, { process }) => sum + process.cpu, 0)
  const some = `${instances.length} instance${instances.length === 1 ? '' : 's'}`
  const text = fitting(`${some}: ${counts.join(', ')} · CPU ${(100 * cpu).toFixed(0)} %`, width)
  const ready = instances.filter((one) => stateOf(one) === 'ready').length
  const drifts = driftsOf(instances)
  const alarms = [
    ...(wanted === undefined ? [] : [`${ready} of ${wanted} ready`]),
    ...(drifts.length === 0 ? [] : [`another list: ${drifts.join(', ')}`]),
  ]
  return text + paint('red', fitting(alarms.map((alarm) => `  ${alarm}`).join(''), width - text.length))
}
