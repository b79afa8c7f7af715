import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'

/** Is a program there? If not, the reason for skipping what needs it. */
export function missing(program: string): string | false {
  return spawnSync(program, ['-v']).error === undefined ? false : `${program} is not installed`
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Runs a program until the test ends; resolves once it accepts connections at the port. */
export async function run(t: TestContext, command: readonly string[], port: number): Promise<string> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const exit = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGTERM')
    await exit
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended: ${output}`)
  }
  return `http://127.0.0.1:${port}`
}
