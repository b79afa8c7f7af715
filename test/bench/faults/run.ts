import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../child.ts'
import { startBackends, type Backend } from './backend.ts'
import { Client } from './client.ts'
import type { Run } from './figures.ts'
import { now } from '../monotonic.ts'
import type { FaultScenario } from './scenarios.ts'
import type { FaultSubject } from './subjects/subject.ts'
import { refusedConnections } from './unseen.ts'

/** How hard, and how long. */
export interface FaultOptions {
  /** The faulty time, s. */
  readonly seconds: number
  /** Requests a second. */
  readonly rate: number
}

/** ms before the fault. */
export const calmTime = 4000

/** A run, and whether something else was at work. */
export interface ObservedRun extends Run {
  /** Connections that somebody was refused before the fault: they would be taken for requests to a dead backend. */
  readonly refusedInCalm: number
}

/** Plays a scenario to one subject, with processes of its own. Files go into a directory below `directory`. */
export async function play(
  subject: FaultSubject,
  scenario: FaultScenario,
  { seconds, rate }: FaultOptions,
  directory: string,
): Promise<ObservedRun> {
  const own = join(directory, `${scenario.name}-${subject.name}`)
  mkdirSync(own)
  const backends = await startBackends()
  const started: { child?: Child; client?: Client } = {}
  try {
    const { child, port } = await subject.start(
      backends.map((backend) => backend.port),
      own,
    )
    started.child = child
    started.client = await Client.start(port, rate)
    const run = await observe(scenario, backends, started.client, { seconds, rate })
    child.assertAlive()
    return run
  } finally {
    await Promise.all([started.client?.stop(), started.child?.stop(), ...backends.map((backend) => backend.end())])
  }
}

async function observe(
  scenario: FaultScenario,
  backends: readonly Backend[],
  client: Client,
  { seconds, rate }: FaultOptions,
): Promise<ObservedRun> {
  const refusedBefore = refusedConnections()
  const begun = await client.begin()
  await delay(calmTime)
  const refusedInCalm = refusedConnections() - refusedBefore
  const until = now() + seconds * 1000
  const course = await scenario.play(backends, until)
  const sent = await client.end()
  // What was still sent while the backends told of themselves is no part of it.
  return { begun, until, rate, sent: sent.filter(({ at }) => at < until), course, refusedInCalm }
}
