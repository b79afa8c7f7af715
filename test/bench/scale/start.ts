import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import { descendants } from '../cpu-time.ts'
import { freePorts } from '../free-port.ts'
import { startOurs } from './subjects.ts'

/** What a start of many workers takes. */
export interface StartCost {
  readonly workers: number
  /** From the start of the command until all workers are ready. */
  readonly seconds: number
  /** The same of as many processes that load Fastify and undici, and nothing of ours. */
  readonly bareSeconds: number
  /** Resident memory of each worker, and of the parent (MB). */
  readonly workerMemory: readonly number[]
  readonly parentMemory: number
}

const statesOf = async (port: number): Promise<readonly string[]> => {
  const response = await fetch(`http://127.0.0.1:${port}/_balancer/instances`)
  const { instances } = (await response.json()) as { readonly instances: readonly { readonly state: string }[] }
  return instances.map(({ state }) => state)
}

function memoryOf(pid: number): number {
  const kilobytes = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round((Number(kilobytes) / 1024) * 10) / 10
}

const bareWorkers = fileURLToPath(new URL('bare-workers.ts', import.meta.url))

async function measureBare(workers: number): Promise<number> {
  const started = performance.now()
  await new Child(process.execPath, [bareWorkers, String(workers)], { side: 'both' }).finished()
  return (performance.now() - started) / 1000
}

/** Starts so many workers, and waits until each is ready. */
export async function measureStart(
  backends: readonly number[],
  directory: string,
  workers: number,
): Promise<StartCost> {
  const [port = 0] = await freePorts(1)
  const started = performance.now()
  const admin = { insecure: true, listen: { port, host: '127.0.0.1' } }
  const { child } = await startOurs(backends, join(directory, 'start'), workers, { admin })
  for (;;) {
    const states = await statesOf(port).catch(() => [])
    if (states.filter((state) => state === 'ready').length >= workers) break
    child.assertAlive()
    await after(10)
  }
  const seconds = (performance.now() - started) / 1000
  const [parent = 0, ...all] = descendants(child.pid)
  const memory = { workerMemory: all.map(memoryOf), parentMemory: memoryOf(parent) }
  await child.stop()
  return { workers, seconds, bareSeconds: await measureBare(workers), ...memory }
}
