import { writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { ask, type Answer } from '../../../../test/support/ask.ts'
import { startProgram, type Program } from '../../../../test/support/program.ts'
import { folderOf } from '../reload/reloading.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** On a loaded machine, several processes take their time. */
export const patience = { timeout: 200_000 }

/** A file that workers run. */
export interface RunningFile {
  readonly program: Program
  readonly folder: string
  readonly file: string
  /** Where they listen. */
  readonly url: string
  write(content: object): Promise<void>
  /** Asks the admin API. */
  operate(path: string): Promise<Answer>
}

/** The process ids of the workers that have answered requests so far, from the log. */
export function pidsIn({ stdout }: Program): ReadonlySet<number> {
  return new Set(lines(stdout).flatMap(({ pid, attempts }) => (attempts === undefined ? [] : [pid])))
}

function lines(texts: readonly string[]) {
  return texts.map((text) => JSON.parse(text) as { readonly pid: number; readonly msg: string; readonly attempts?: unknown })
}

/** Runs a file with two workers, on any port, unless it says otherwise. */
export async function runFile(t: TestContext, content: object): Promise<RunningFile> {
  const folder = await folderOf(t)
  const file = join(folder, 'balancer.yaml')
  const write = (one: object) =>
    writeFile(file, JSON.stringify({ workers: 2, listen: [{ port: 0 }], log: { form: 'json' }, ...one }))
  await write(content)
  const program = startProgram(t, cli, { args: ['--config', file] })
  const [url] = await program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)
  const headers = { 'content-type': 'application/json' }
  return { program, folder, file, url, write, operate: (path) => ask(`${url}/_balancer${path}`, { method: 'POST', headers }) }
}

/** Clients that each ask again and again on a connection that they keep, until they are told to stop. */
export function keepAsking(t: TestContext, url: string, clients: number) {
  const answers: Answer[] = []
  let isOver = false
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  t.after(() => {
    for (const agent of agents) agent.destroy()
  })
  const all = agents.map(async (agent) => {
    while (!isOver) {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other on each connection
      answers.push(await ask(url, { agent }))
    }
  })
  return {
    answers,
    async stop(): Promise<readonly Answer[]> {
      isOver = true
      await Promise.all(all)
      return answers
    },
  }
}
