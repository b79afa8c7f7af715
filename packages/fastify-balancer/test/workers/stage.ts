import { writeFile } from 'node:fs/promises'
import { Agent, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { ask, type Answer } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { startProgram, type Program } from '../../../../test/support/program.ts'
import { folderOf } from '../reload/reloading.ts'

export const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

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
  return new Set(lines({ stdout }).flatMap(({ pid, attempts }) => (attempts === undefined ? [] : [pid])))
}

export function lines({ stdout: texts }: Pick<Program, 'stdout'>) {
  return texts.map(
    (text) => JSON.parse(text) as { readonly pid: number; readonly msg: string; readonly attempts?: unknown },
  )
}

/** Runs a file with two workers, on any port, unless it says otherwise; `beside`: other files in its folder. */
export async function runFile(
  t: TestContext,
  content: object,
  beside: Readonly<Record<string, string>> = {},
): Promise<RunningFile> {
  const folder = await folderOf(t)
  for (const [name, text] of Object.entries(beside)) await writeFile(join(folder, name), text)
  const file = join(folder, 'balancer.yaml')
  const write = (one: object) =>
    writeFile(file, JSON.stringify({ workers: 2, listen: [{ port: 0 }], log: { form: 'json' }, ...one }))
  await write(content)
  const program = startProgram(t, cli, { args: ['--config', file] })
  const [url] = await program.until(/https?:\/\/127\.0\.0\.1:\d+(?= by )/)
  const headers = { 'content-type': 'application/json' }
  return {
    program,
    folder,
    file,
    url,
    write,
    operate: (path) => ask(`${url}/_balancer${path}`, { method: 'POST', headers }),
  }
}

/** A module that blocks the event loop for as many ms as the path of a request says: `/block/1000`. */
export const blocking = `export function request({ in: { url } }) {
  if (url.startsWith('/block/')) for (const end = Date.now() + Number(url.slice(7)); Date.now() < end; );
}`

/** Is there a process of that id? */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A backend that answers `/hold` once it is told to, and all else after a moment. */
export async function startHolding(t: TestContext) {
  const { promise: held, resolve } = Promise.withResolvers<ServerResponse>()
  const { url } = await startBackend(t, (request, response) => {
    if (request.url === '/hold') resolve(response)
    else setTimeout(() => response.end('a'), 20)
  })
  return { url, held, answer: async () => void (await held).end('in time') }
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
