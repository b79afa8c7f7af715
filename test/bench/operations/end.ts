import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'
import { startCountingBackends } from './backends.ts'
import { Command } from './command.ts'
import { discrepancies, Load } from './load.ts'
import { faultsOf, type Amount, type Finding } from './part.ts'

/** What a client of ours has seen, until it was refused. */
interface Seen {
  answered: number
  /** What went wrong, with the number of requests that the connection had carried. */
  readonly faults: string[]
}

function askOnce(port: number, agent: Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', agent }, (response) => {
      response.resume().once('close', () => {
        if (response.statusCode === 200 && response.complete) resolve(undefined)
        else resolve(`status ${response.statusCode}${response.complete ? '' : ', cut'}`)
      })
    })
    asked.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(`${code ?? message} on a ${asked.reusedSocket ? 'kept' : 'new'} connection`),
    )
    asked.end()
  })
}

/** Asks on a connection that it keeps until nothing listens any more. */
async function askUntilRefused(port: number): Promise<Seen> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const seen: Seen = { answered: 0, faults: [] }
  for (;;) {
    const fault = await askOnce(port, agent)
    if (fault?.startsWith('ECONNREFUSED')) break
    if (fault === undefined) seen.answered++
    else seen.faults.push(fault)
  }
  agent.destroy()
  return seen
}

/** The parent is told to stop. */
export async function endUnderLoad({ directory }: Amount): Promise<Finding> {
  const backends = await startCountingBackends()
  const command = await Command.start(directory, { backends: backends.map(({ id, url }) => ({ id, url })) })
  const load = new Load(command, directory)
  const clients = Promise.all(Array.from({ length: 16 }, () => askUntilRefused(command.plainPort)))
  await after(1500)
  const exit = once(command.child.process, 'exit')
  command.signal('SIGTERM')
  const [code] = (await exit) as [number | null]
  const [count, seen] = await Promise.all([load.stop(), clients])
  const own = seen.reduce((sum, { answered }) => sum + answered, 0)
  const all = { ...count, answered: count.answered + own }
  const troubles = seen.flatMap(({ faults }) => faults)
  const faults = [
    ...(await discrepancies(all, backends)),
    ...troubles,
    ...faultsOf({ [`exit code ${code}`]: code === 0 }),
  ]
  const figures = { requests: all.answered, troubles: troubles.length, sentAgainHttp2: count.h2load.unanswered }
  return { part: 'end', did: 'SIGTERM of the parent', figures, faults }
}
