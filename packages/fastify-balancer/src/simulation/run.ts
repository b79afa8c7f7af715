import { setImmediate } from 'node:timers/promises'
import { runFigures, type RunFigures } from './figures/run-figures.ts'
import { Measurements } from './figures/measurements.ts'
import { movedKeys } from './figures/moved-keys.ts'
import { Usage } from './figures/usage.ts'
import type { Scenario, ScenarioChange } from './scenario/scenario.ts'
import type { ChosenPolicy } from './scenario/simulated-options.ts'
import { startArrivals } from './traffic/arrivals.ts'
import { Keys } from './traffic/keys.ts'
import { randomStream } from './world/random-stream.ts'
import { Stage } from './world/stage.ts'

/** After so many things have happened, the rest of the process has its turn. */
const turn = 16_384

/** The changes of the list that are due. */
function planChanges(stage: Stage, changes: readonly ScenarioChange[]): ScenarioChange[] {
  const due: ScenarioChange[] = []
  for (const change of changes) stage.clock.setTimeout(() => due.push(change), change.at)
  return due
}

function apply(stage: Stage, change: ScenarioChange): Promise<void> {
  return stage.change(async (balancer) => {
    if (change.kind === 'remove') return balancer.remove(change.id)
    if (change.kind === 'weight') return balancer.update(change.id, { weight: change.weight })
    return balancer.setBackends([...balancer.listed, ...change.backends.map((one) => stage.newcomer(one))])
  })
}

/** Which keys would move, at a balancer without traffic. */
async function keysMoved(scenario: Scenario, policy: ChosenPolicy): Promise<number | undefined> {
  if (scenario.keys === undefined) return undefined
  const stage = await Stage.open({ ...scenario, balancer: { healthCheck: false, circuitBreaker: false } }, policy)
  const { balancer } = stage
  const moved = movedKeys(balancer.policy, balancer.set.available, new Keys(scenario.keys).users)
  await stage.close()
  return moved
}

/** Simulates a scenario with one policy. `onProgress` is told now and then how much of it is over, 0 to 1. */
export async function run(
  scenario: Scenario,
  policy: ChosenPolicy,
  name: string,
  onProgress: (part: number) => void,
): Promise<RunFigures> {
  const { seed, duration, warmUp } = scenario
  const stage = await Stage.open(scenario, policy)
  const { clock, balancer } = stage
  stage.start()
  const begin = clock.now() + warmUp
  const counter = new Measurements(begin)
  const usage = new Usage(balancer, begin)
  const due = planChanges(stage, scenario.changes)
  const [random, work] = [randomStream(seed, 'arrivals'), randomStream(seed, 'work')]
  startArrivals({ balancer, clock, counter, random, work }, scenario)
  for (let steps = 1; clock.step(duration); steps++) {
    // oxlint-disable no-await-in-loop -- what has happened must have had its effect before the next thing happens
    if (due.length > 0) for (const change of due.splice(0)) await apply(stage, change)
    const settled = stage.settle()
    if (settled !== undefined) await settled
    if (steps % turn > 0) continue
    await setImmediate()
    // oxlint-enable no-await-in-loop
    onProgress(clock.elapsed / duration)
  }
  usage.stop()
  const { inFlight } = stage
  const figures = runFigures(name, scenario, counter, usage, inFlight, await keysMoved(scenario, policy))
  await stage.close()
  return figures
}
