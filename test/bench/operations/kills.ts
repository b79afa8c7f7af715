import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { connectionsHeld, hold } from './held.ts'
import { Load, streams } from './load.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

/** After so many deaths, a rolling restart: a worker that dies five times in a minute would not be replaced any more, and new ones have no past. */
const mostDeaths = 6

/** A worker is killed, and once another one has taken its place, the next. */
export async function killWorkers({ times, directory }: Amount): Promise<Finding> {
  const backends = await startCountingBackends()
  const command = await Command.start(directory, { backends: backends.map(({ id, url }) => ({ id, url })) })
  const load = new Load(command, directory)
  let heldPlain = 0
  let heldTls = 0
  for (let kill = 0; kill < times; kill++) {
    if (kill > 0 && kill % mostDeaths === 0) await command.restart()
    await after(200)
    const pid = command.pids[kill % 2]!
    hold(pid)
    heldPlain += connectionsHeld(pid, command.plainPort)
    heldTls += connectionsHeld(pid, command.tlsPort)
    process.kill(pid, 'SIGKILL')
    await command.allReady(({ pids }) => !pids.includes(pid))
  }
  const { wrk, h2load, answered } = await load.stop()
  // Those that a rolling restart between the kills has refused were not lost.
  const faults = faultsOf({
    [`${wrk.refused + h2load.refused} responses were no 2xx`]: wrk.refused + h2load.refused === 0,
    [`${wrk.broken} connections of wrk broke, killed workers held ${heldPlain}`]: wrk.broken <= heldPlain,
    [`${h2load.unanswered} requests of h2load were not answered, killed workers held ${heldTls * streams}`]:
      h2load.unanswered <= heldTls * streams,
    [`${wrk.unanswered} connections of wrk wait for ever`]: wrk.unanswered === 0,
    'no killed worker held a connection': heldPlain > 0,
  })
  await command.child.stop()
  const figures = {
    kills: times,
    requests: answered,
    broken: wrk.broken,
    heldPlain,
    unansweredHttp2: h2load.unanswered,
    heldHttp2: heldTls * streams,
  }
  return { part: 'kill', did: `SIGKILL of a worker ${times} times`, figures, faults }
}
