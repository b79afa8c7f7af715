import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'
import type { Load, LoadReport } from './load.ts'
import { loadWorkers } from '../pinning.ts'
import { programVersion } from '../versions.ts'

const script = fileURLToPath(new URL('./wrk.lua', import.meta.url))

/** undefined when wrk is not installed. */
export const wrkVersion = (): string | undefined => programVersion('wrk', '-v')

export const runWrk: Load = async (port, { method, path, upload, closes = false }, { connections, seconds }) => {
  // wrk refuses more threads than connections.
  const threads = Math.min(loadWorkers, connections)
  const size = ['--threads', String(threads), '--connections', String(connections)]
  const time = ['--duration', `${seconds}s`, '--timeout', '10s']
  const target = [
    '--script',
    script,
    `http://127.0.0.1:${port}${path}`,
    '--',
    method,
    String(upload),
    closes ? 'close' : 'keep',
  ]
  const wrk = new Child('wrk', [...size, ...time, ...target], { side: 'load' })
  const output = await wrk.finished()
  // wrk prints a summary of its own first.
  return JSON.parse(output.slice(output.lastIndexOf('\n{') + 1)) as LoadReport
}
