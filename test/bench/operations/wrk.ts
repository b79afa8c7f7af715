import { writeFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child } from '../child.ts'

const script = fileURLToPath(new URL('wrk-until.lua', import.meta.url))

/** So long a response may take at the end (ms); what has not come by then never will. */
const patience = 15_000

/** What wrk has seen. */
export interface WrkCount {
  /** Whole responses. */
  readonly requests: number
  /** Connections that broke, at least: wrk opens another one in the place of each. */
  readonly broken: number
  /** Responses with a status from 400 on. */
  readonly refused: number
  /** Connections whose last request was never answered. */
  readonly unanswered: number
}

/** Requests over kept connections of HTTP/1.1, one after the other on each, until it is stopped. */
export class Wrk {
  readonly #child: Child
  readonly #connections: number
  readonly #stopFile: string
  #resting = 0

  constructor(url: string, connections: number, stopFile: string) {
    this.#connections = connections
    this.#stopFile = stopFile
    const size = ['--threads', '1', '--connections', `${connections}`, '--duration', '1h', '--timeout', '10s']
    this.#child = new Child('wrk', [...size, '--script', script, url, '--', stopFile], { side: 'both' })
    this.#child.process.stderr!.on('data', (text: string) => (this.#resting += text.split('resting').length - 1))
  }

  /** Lets what is in flight be answered, and ends it. */
  async stop(): Promise<WrkCount> {
    writeFileSync(this.#stopFile, '')
    const deadline = performance.now() + patience
    while (this.#resting < this.#connections && performance.now() < deadline) await after(20)
    const unanswered = this.#connections - this.#resting
    this.#child.process.kill('SIGINT')
    const output = await this.#child.finished()
    const { requests, connect, read, write, status } = JSON.parse(
      output.slice(output.lastIndexOf('\n{') + 1),
    ) as Record<string, number> as { requests: number; connect: number; read: number; write: number; status: number }
    return { requests, broken: connect + read + write, refused: status, unanswered }
  }
}
