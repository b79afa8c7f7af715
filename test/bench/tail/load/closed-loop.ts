import { setTimeout as delay } from 'node:timers/promises'
import { now } from '../../monotonic.ts'
import type { Asked } from './asked.ts'
import type { Connections } from './connections.ts'

/** So many clients, each of which waits for its answer before it asks again. */
export interface ClosedLoop {
  /** One for each balancer; a client stays with its own. */
  readonly targets: readonly Connections[]
  readonly clients: number
  readonly seconds: number
  /** What the client asks for next. */
  path(client: number): string
}

/** ms that a client waits after a failure: one that fails at once would be asked all the time. */
const pause = 10

/** Lets clients ask for so long, and waits for their last answers. */
export async function closedLoop({ targets, clients, seconds, path }: ClosedLoop): Promise<readonly Asked[]> {
  const begun = now()
  const asked: Asked[] = []
  const everyClient = Array.from({ length: clients }, (_, client) => askAgain(client))
  await Promise.all(everyClient)
  return asked

  async function askAgain(client: number): Promise<void> {
    const target = targets[client % targets.length]!
    for (let at = 0; at < seconds * 1000; at = now() - begun) {
      const problem = await new Promise<string>((resolve) => target.ask(path(client), resolve))
      asked.push({ at, took: now() - begun - at, problem })
      if (problem !== '') await delay(pause)
    }
  }
}
