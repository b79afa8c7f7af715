// Room `simulation`: what would happen with a policy and its options, in simulated time, before they are deployed.
import { chart } from './figures/chart.ts'
import type { RunFigures, SimulationFigures } from './figures/run-figures.ts'
import { table } from './figures/table.ts'
import { run } from './run.ts'
import { namesOf } from './scenario/policy-names.ts'
import { readScenario, type Scenario } from './scenario/scenario.ts'
import type { SimulationOptions } from './scenario/scenario-schema.generated.ts'

export type { SimulationOptions }
export type { BackendFigures, RunFigures, SimulationFigures } from './figures/run-figures.ts'
export { chart, table }

/** How far a simulation is: which policy, and how much of its time is over, 0 to 1. */
export type ProgressListener = (policy: string, part: number) => void

/** Simulates what was read already. */
export async function simulateScenario(scenario: Scenario, onProgress: ProgressListener): Promise<SimulationFigures> {
  const { seed, duration, warmUp, policies } = scenario
  const names = namesOf(policies)
  const runs: RunFigures[] = []
  for (const [index, policy] of policies.entries()) {
    const name = names[index]!
    // oxlint-disable-next-line no-await-in-loop -- there is one processor for all of them
    runs.push(await run(scenario, policy, name, (part) => onProgress(name, part)))
  }
  return { seed, duration, warmUp, runs }
}

/**
 * Simulates a balancer with its policies, queue, retries, health checks and circuit breakers, as `register` makes it, among
 * simulated servers and in simulated time. With the same seed, the results are the same.
 * @throws BadOptionsError naming every fault
 */
export async function simulate(
  options: SimulationOptions,
  onProgress: ProgressListener = () => {},
): Promise<SimulationFigures> {
  return simulateScenario(readScenario(options), onProgress)
}
