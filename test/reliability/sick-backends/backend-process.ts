import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { unusedOrigin } from '../../support/backend.ts'
import { startChild } from '../../support/child.ts'

const file = new URL('backend-program.ts', import.meta.url)

/** A backend that can die, or hang. */
export interface BackendProcess {
  readonly id: string
  readonly url: string
  /** SIGKILL; resolves when it has gone. */
  kill(): Promise<void>
  /** After `kill`: another process on the same port; resolves when it listens. */
  restart(): Promise<void>
  /** SIGSTOP: the kernel still accepts connections for it, and nobody answers. */
  stop(): void
  /** SIGCONT: it answers everything that has come meanwhile. */
  continue(): void
}

/** Starts a backend that answers with its id after `delay` ms; it is killed when the test ends. */
async function startBackendProcess(t: TestContext, id: string, delay = 2): Promise<BackendProcess> {
  let process: ChildProcess
  // Nobody else is given its port while it is dead.
  const url = await unusedOrigin()
  const begin = async () => {
    const { child } = await startChild(t, file, [new URL(url).port, id, String(delay)])
    process = child
  }
  await begin()
  return {
    id,
    url,
    async kill() {
      const gone = once(process, 'exit')
      process.kill('SIGKILL')
      await gone
    },
    restart: begin,
    stop: () => void process.kill('SIGSTOP'),
    continue: () => void process.kill('SIGCONT'),
  }
}

/** Starts four of them: a, b, c and d. */
export function startFourProcesses(t: TestContext): Promise<BackendProcess[]> {
  return Promise.all(['a', 'b', 'c', 'd'].map((id) => startBackendProcess(t, id)))
}
