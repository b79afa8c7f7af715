import type { ReloadReport } from '@fastify-balancer/admin-routes'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readConfiguration } from '../../src/configuration/reading.ts'
import type { ReloadCause } from '../../src/reload/reload-cause.ts'
import { Reloader } from '../../src/reload/reloader.ts'
import { buildServer, type RunningServer } from '../../src/server/running-server.ts'

/** What stands in a file, as data; a text is written as it is. */
export type FileText = string | Readonly<Record<string, unknown>>

/** What runs from a file, that can be written and reloaded. */
export interface Reloading {
  readonly folder: string
  readonly file: string
  readonly server: RunningServer
  /** Where the first listener listens. */
  readonly url: string
  /** Writes the file, if there is a text, and reloads it. */
  reload(text?: FileText, cause?: Partial<ReloadCause>): Promise<ReloadReport>
}

/** A folder that is gone when the test ends. */
export async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reload-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A quiet listener on any port, over balancers. */
export function described(...balancers: readonly Readonly<Record<string, unknown>>[]) {
  return { listen: [{ port: 0, host: '127.0.0.1' }], balancers, log: { form: 'off' } }
}

/** Runs a file until the test ends; nothing watches it. */
export async function reloading(t: TestContext, text: FileText, folder?: string): Promise<Reloading> {
  const inFolder = folder ?? (await folderOf(t))
  const file = join(inFolder, 'balancer.yaml')
  // JSON is YAML, too.
  const write = (one: FileText) => writeFile(file, typeof one === 'string' ? one : JSON.stringify(one, undefined, 2))
  await write(text)
  const reading = await readConfiguration(file)
  assert.deepEqual(reading.faults, [])
  let reloader: Reloader | undefined
  const { admin, ...others } = reading.configuration!
  const server = await buildServer({
    ...others,
    admin: admin === false ? false : { ...admin, reload: (order) => reloader!.reload({ ...order, trigger: 'api' }) },
  })
  t.after(() => server.close())
  await server.listen()
  reloader = new Reloader(server, file, reading, () => readConfiguration(file))
  return {
    folder: inFolder,
    file,
    server,
    url: server.listeners[0].address!,
    async reload(one, cause = {}) {
      if (one !== undefined) await write(one)
      return reloader.reload({ trigger: 'test', ...cause })
    },
  }
}
