import { spawn, type ChildProcess, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pinned, type Side } from './pinning.ts'

// Debian keeps nginx and haproxy where only root's PATH leads.
export const environment = { ...process.env, NODE_ENV: 'production', PATH: `${process.env.PATH}:/usr/sbin:/sbin` }

const startDeadline = 30_000
const alive = new Set<Child>()

process.on('exit', () => {
  for (const child of alive) child.kill()
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, (_name, number: number) => process.exit(128 + number))
}

/** How to start a process. */
export interface ChildOptions {
  readonly side: Side
  readonly environment?: NodeJS.ProcessEnv
  /** It is a Node program of ours, which talks over IPC. */
  readonly talks?: boolean
}

/** A process of the benchmark: pinned to its cores, and killed with all that it started when the benchmark ends. */
export class Child {
  readonly name: string
  readonly process: ChildProcess
  #output = ''
  #complaint = ''

  constructor(command: string, args: readonly string[], { side, environment: own, talks = false }: ChildOptions) {
    this.name = basename(talks ? args[0]! : command)
    const [program, all] = pinned(side, command, args)
    this.process = spawn(program, all, {
      stdio: ['ignore', 'pipe', 'pipe', talks ? 'ipc' : 'ignore'],
      env: { ...environment, ...own },
      // A process group of its own, so that nginx's workers go with their master.
      detached: true,
    })
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-2000)
    })
    this.process.once('error', (error) => (this.#complaint += error.message))
    this.process.once('close', () => alive.delete(this))
    alive.add(this)
  }

  get pid(): number {
    return this.process.pid!
  }

  /** @throws Error with its last words, if it has ended */
  assertAlive(): void {
    const { exitCode, signalCode } = this.process
    if (exitCode === null && signalCode === null) return
    throw new Error(`${this.name} ended by itself (${signalCode ?? exitCode}): ${this.#complaint.trim()}`)
  }

  /** Asks a talking child, or waits for the first thing that it says. */
  async ask<Answer>(question?: Serializable): Promise<Answer> {
    this.assertAlive()
    const ended = new AbortController()
    const end = () => ended.abort()
    this.process.once('exit', end)
    try {
      const answer = once(this.process, 'message', { signal: ended.signal })
      if (question !== undefined) this.process.send(question)
      return (await answer)[0] as Answer
    } catch (error) {
      this.assertAlive()
      throw error
    } finally {
      this.process.off('exit', end)
    }
  }

  /** Waits until something listens on the port. */
  async listensOn(port: number): Promise<void> {
    const deadline = Date.now() + startDeadline
    while (!(await accepts(port))) {
      this.assertAlive()
      if (Date.now() > deadline) throw new Error(`${this.name} does not listen on ${port}: ${this.#complaint.trim()}`)
      await delay(20)
    }
  }

  /** Waits for its end; answers what it wrote to stdout. @throws Error if it failed */
  async finished(): Promise<string> {
    await once(this.process, 'close')
    if (this.process.exitCode !== 0) this.assertAlive()
    return this.#output
  }

  kill(): void {
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }

  async stop(): Promise<void> {
    if (!alive.has(this)) return
    const closed = once(this.process, 'close')
    this.kill()
    await closed
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (accepted: boolean) => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
