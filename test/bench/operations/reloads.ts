import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends, type CountingBackend } from './backends.ts'
import { Command } from './command.ts'
import { discrepancies, Load } from './load.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

/** What the file says the `round`-th time: each list is another one than the one before. */
function described(round: number, [a, b, guest]: readonly CountingBackend[]) {
  const backends = [
    { id: a!.id, url: a!.url, weight: 1 + (round % 3) },
    { id: b!.id, url: b!.url, weight: 1 + ((round + 1) % 4) },
    ...(round % 2 === 0 ? [{ id: guest!.id, url: guest!.url, weight: 2 }] : []),
  ]
  return {
    policy: 'weighted',
    backends,
    pool: { keepAliveTimeout: 600_000 },
    timeouts: { connect: 2000 + round, headers: 20_000 + round },
    healthCheck: { interval: 1000 + round },
  }
}

/** The file changes again and again: weights, timeouts, and a backend that comes and goes. */
export async function reloadUnderLoad({ reloads, directory }: Amount): Promise<Finding> {
  const backends = await startCountingBackends()
  const command = await Command.start(directory, described(0, backends))
  const load = new Load(command, directory)
  await after(500)
  let digest = await command.allReady()
  for (let round = 1; round <= reloads; round++) {
    command.write(described(round, backends))
    command.signal('SIGHUP')
    const before = digest
    digest = await command.allReady((one) => one.digest !== before)
  }
  const count = await load.stop()
  const { wrk, h2load } = count
  const lost = backends.slice(0, 2).reduce((sum, { ended }) => sum + ended, 0)
  const config = await Promise.all(
    Array.from({ length: 4 }, async () => JSON.parse((await command.ask('/_balancer/balancers/default/config')).text)),
  )
  const expected = described(reloads, backends)
  const faults = [
    ...(await discrepancies(count, backends, command)),
    ...faultsOf({
      [`${wrk.broken} connections of wrk broke, ${wrk.unanswered} got no answer`]: wrk.broken + wrk.unanswered === 0,
      [`${h2load.unanswered} requests of h2load were not answered`]: h2load.unanswered === 0,
      [`${lost} connections to kept backends ended`]: lost === 0,
      'what is in force is not what the file says': config.every(
        ({ options }) => options.timeouts.headers === expected.timeouts.headers,
      ),
    }),
  ]
  await command.child.stop()
  const figures = {
    reloads,
    requests: count.answered,
    unanswered: wrk.broken + h2load.unanswered,
    connectionsLost: lost,
  }
  return { part: 'reload', did: `${reloads} reloads of both workers by SIGHUP`, figures, faults }
}
