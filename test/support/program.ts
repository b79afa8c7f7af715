import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'

/** How a process ended. */
interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A TypeScript file, running as a process of its own. */
export interface Program {
  readonly child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable }
  /** Lines so far. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Resolves with the first match of a line, on either stream; rejects with all output if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  /** Resolves when it has ended and all it wrote was read. */
  readonly exit: Promise<Exit>
}

export interface ProgramOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A command that runs what follows it, in surroundings of its own. */
  readonly within?: readonly string[]
}

/** Runs `file` with the Node that runs the test; it is killed when the test ends. */
export function startProgram(
  t: TestContext,
  file: string,
  { args = [], env = {}, cwd, within = [] }: ProgramOptions = {},
): Program {
  const [command, ...rest] = [...within, process.execPath, file, ...args]
  const child = spawn(command!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // What `node --test` tells its own children would change how this one behaves.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined, ...env },
    ...(cwd !== undefined && { cwd }),
  })
  const stdout: string[] = []
  const stderr: string[] = []
  const checks = new Set<(line: string) => void>()
  let ended = false
  for (const [stream, lines] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const check of checks) check(line)
    })
  }
  const exit = once(child, 'close').then(([code, signal]): Exit => {
    ended = true
    for (const check of checks) check('')
    return { code, signal }
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  return {
    child,
    stdout,
    stderr,
    exit,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (line: string) => {
          const match = pattern.exec(line)
          if (match !== null) resolve(match)
          else if (ended) reject(new Error(`ended before ${pattern}:\n${[...stdout, ...stderr].join('\n')}`))
          else return
          checks.delete(check)
        }
        checks.add(check)
        for (const line of [...stdout, ...stderr, '']) if (checks.has(check)) check(line)
      }),
  }
}

/** So that a program may have only so many files and sockets open. */
export function withOpenFiles(count: number): readonly string[] {
  return ['sh', '-c', `ulimit -n ${count} && exec "$0" "$@"`]
}
