import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { discrepancies, Load } from './load.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

/** All workers are replaced, and once those before have gone, again. */
export async function restartUnderLoad({ times, directory }: Amount): Promise<Finding> {
  const backends = await startCountingBackends()
  const command = await Command.start(directory, { backends: backends.map(({ id, url }) => ({ id, url })) })
  const load = new Load(command, directory)
  for (let restart = 0; restart < times; restart++) {
    await after(200)
    await command.restart()
  }
  const count = await load.stop()
  const { wrk, h2load, answered } = count
  // A request that was begun and not answered would be in the metrics, and at a backend.
  const faults = [
    ...(await discrepancies(count, backends, command)),
    ...faultsOf({
      [`${wrk.broken} connections of wrk broke, ${wrk.unanswered} got no answer`]: wrk.broken + wrk.unanswered === 0,
    }),
  ]
  await command.child.stop()
  const figures = { restarts: times, requests: answered, broken: wrk.broken, sentAgainHttp2: h2load.unanswered }
  return { part: 'restart', did: `${times} rolling restarts by SIGUSR2`, figures, faults }
}
