import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import { freePorts } from '../free-port.ts'
import { nginxVersion, startNginxProxy } from '../nginx.ts'
import type { RunningServer } from '../node-program.ts'

/** A proxy with a number of workers. */
export interface Subject {
  readonly name: 'ours' | 'nginx'
  readonly workers: number
  readonly server: RunningServer
}

const command = fileURLToPath(new URL('../../../packages/fastify-balancer/src/cli.ts', import.meta.url))

/** Starts the command with a file that names so many workers; resolves once the port accepts. */
export async function startOurs(
  backends: readonly number[],
  directory: string,
  workers: number,
  more: object = {},
): Promise<RunningServer> {
  const [port = 0] = await freePorts(1)
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `ours-${workers}.json`)
  const listen = [{ port, host: '127.0.0.1' }]
  const balancers = [{ backends: backends.map((one) => `http://127.0.0.1:${one}`) }]
  writeFileSync(file, JSON.stringify({ listen, workers, balancers, log: { level: 'warn' }, ...more }))
  const child = new Child(process.execPath, [command, '--config', file, '--log', 'json'], { side: 'both' })
  await child.listensOn(port)
  return { child, port }
}

/** Each proxy with one worker and with two; nginx if it is installed. */
export async function startSubjects(backends: readonly number[], directory: string): Promise<readonly Subject[]> {
  const subjects: Subject[] = []
  for (const workers of [1, 2]) {
    subjects.push({ name: 'ours', workers, server: await startOurs(backends, directory, workers) })
    if (nginxVersion() === undefined) continue
    const server = await startNginxProxy(backends, directory, { workers, side: 'both' })
    subjects.push({ name: 'nginx', workers, server })
  }
  return subjects
}
