import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/**
 * Starts a TypeScript file in a process of its own, and waits for its first message. The process is killed when the test
 * ends; the file should let it end by itself when it is disconnected.
 */
export async function startChild(
  t: TestContext,
  file: URL,
  args: readonly string[] = [],
): Promise<{ child: ChildProcess; first: unknown }> {
  const child = fork(file, args, { execArgv: ['--disable-warning=ExperimentalWarning', '--expose-gc'] })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const first = await Promise.race([
    once(child, 'message').then(([message]) => message as unknown),
    once(child, 'exit').then(([code, signal]) => {
      throw new Error(`${file.pathname} ended at once: ${code ?? signal}`)
    }),
  ])
  return { child, first }
}
