import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { discrepancies, Load } from './load.ts'
import type { Amount, Finding } from './part.ts'

/** A rolling restart, a reload, another restart: figures go on. */
export async function compareFigures({ directory }: Amount): Promise<Finding> {
  const backends = await startCountingBackends()
  const all = backends.map(({ id, url }) => ({ id, url }))
  const command = await Command.start(directory, { backends: all })
  const load = new Load(command, directory)
  await command.restart()
  const before = await command.allReady()
  command.write({ backends: all.slice(0, 2) })
  command.signal('SIGHUP')
  await command.allReady(({ digest }) => digest !== before)
  await command.restart()
  await after(500)
  const count = await load.stop()
  const faults = await discrepancies(count, backends, command)
  const inMetrics = await command.requestsInMetrics()
  await command.child.stop()
  const figures = { requests: count.answered, inMetrics }
  return {
    part: 'figures',
    did: 'a rolling restart, a reload, a rolling restart; then GET /metrics of each worker',
    figures,
    faults,
  }
}
