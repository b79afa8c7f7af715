import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

const interval = 500

/** How many probes come to each backend in so many seconds. */
async function count(workers: number, { directory, seconds }: Amount): Promise<readonly number[]> {
  const backends = await startCountingBackends()
  const healthCheck = { interval, jitter: 0 }
  const command = await Command.start(
    directory,
    { backends: backends.map(({ id, url }) => ({ id, url })), healthCheck },
    workers,
  )
  const before = backends.map(({ probes }) => probes)
  await after(seconds * 1000)
  const counts = backends.map(({ probes }, index) => probes - before[index]!)
  await command.child.stop()
  return counts
}

/** With more workers, backends are not probed more often. */
export async function compareProbes(amount: Amount): Promise<Finding> {
  const one = await count(1, amount)
  const four = await count(4, amount)
  const differ = Math.max(...one.map((probes, index) => Math.abs(probes - four[index]!)))
  // Where the time begins between two probes makes one more or less.
  const faults = faultsOf({
    [`probes of each backend: ${one.join(', ')} of 1 worker, ${four.join(', ')} of 4`]:
      differ <= 1 && Math.min(...one) > 0,
  })
  const figures = { ofOneWorker: Math.max(...one), ofFourWorkers: Math.max(...four) }
  return {
    part: 'probes',
    did: `probes each ${interval} ms, counted at the backends for ${amount.seconds} s`,
    figures,
    faults,
  }
}
