import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('grpc-peer.py', import.meta.url))
/** Debian's, which finds the package `python3-grpcio`. */
const python = '/usr/bin/python3'

/** Why tests with it are skipped; false if they are not. */
export const withoutPython =
  spawnSync(python, ['-c', 'import grpc']).status === 0 ? false : 'needs python3 with python3-grpcio (Debian)'

function run(t: TestContext, ...args: readonly string[]) {
  const child = spawn(python, [file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // It logs every request that it refuses, such as HEAD.
    env: { ...process.env, GRPC_VERBOSITY: 'NONE' },
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return child
}

/** A server in Python; answers its origin. */
export async function startPythonBackend(t: TestContext): Promise<string> {
  const { stdout } = run(t, 'serve')
  const [port] = (await once(stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${port.toString().trim()}`
}

/** One call of each kind, by a client in Python: how they ended. */
export async function callFromPython(t: TestContext, port: number): Promise<Record<string, unknown>> {
  return JSON.parse(await text(run(t, 'call', String(port)).stdout)) as Record<string, unknown>
}
