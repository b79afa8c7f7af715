import { join } from 'node:path'
import type { CountingBackend } from './backends.ts'
import type { Command } from './command.ts'
import { H2load, type H2loadCount } from './h2load.ts'
import { Wrk, type WrkCount } from './wrk.ts'

/** Connections of wrk. */
const plainConnections = 32
/** Connections of h2load, and requests at a time on each. */
const sessions = 4
export const streams = 4

/** What both have seen. */
export interface LoadCount {
  readonly wrk: WrkCount
  readonly h2load: H2loadCount
  /** Whole responses. */
  readonly answered: number
}

let count = 0

/** wrk and h2load at the same time, until they are stopped. */
export class Load {
  readonly #wrk: Wrk
  readonly #h2load: H2load

  constructor({ plainUrl, tlsUrl }: Command, directory: string) {
    this.#wrk = new Wrk(plainUrl, plainConnections, join(directory, `stop-${++count}`))
    this.#h2load = new H2load(tlsUrl, sessions, streams)
  }

  async stop(): Promise<LoadCount> {
    const [wrk, h2load] = await Promise.all([this.#wrk.stop(), this.#h2load.stop()])
    return { wrk, h2load, answered: wrk.requests + h2load.requests }
  }
}

/** What would have to be so whatever has happened, but for kills, and is not. */
export async function discrepancies(
  { wrk, h2load, answered }: LoadCount,
  backends: readonly CountingBackend[],
  command?: Command,
): Promise<readonly string[]> {
  const faults: string[] = []
  const fault = (is: boolean, text: string) => void (is && faults.push(text))
  fault(wrk.refused + h2load.refused > 0, `${wrk.refused} + ${h2load.refused} responses were no 2xx`)
  fault(answered === 0, 'there was no load')
  const received = backends.reduce((sum, { requests }) => sum + requests, 0)
  fault(received !== answered, `backends got ${received} requests, ${answered} were answered`)
  if (command === undefined) return faults
  // On connections of their own, so that each worker is asked.
  for (let time = 0; time < 2 * command.workers; time++) {
    const counted = await command.requestsInMetrics()
    fault(counted !== answered, `metrics tell of ${counted} requests, ${answered} were answered`)
  }
  return faults
}
