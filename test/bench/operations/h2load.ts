import { Child } from '../child.ts'

/** What h2load has seen. */
export interface H2loadCount {
  /** Whole responses. */
  readonly requests: number
  /** Requests that were sent, and got no response: the server did not begin them (GOAWAY), or a connection broke. */
  readonly unanswered: number
  /** Responses that were no 2xx. */
  readonly refused: number
}

/** What one run has seen; it does not connect again after GOAWAY, so most of its requests may never have been sent. */
function countIn(output: string): H2loadCount {
  const found = /(\d+) total, (\d+) started, \d+ done, (\d+) succeeded, (\d+) failed/.exec(output)
  const others = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(output)
  if (found === null || others === null) throw new Error(`h2load: ${output}`)
  const [total = 0, started = 0, succeeded = 0, failed = 0] = found.slice(1).map(Number)
  // A status of 2xx counts there as soon as it comes, also if the connection breaks within that response.
  const refused = others.slice(1).reduce((sum, count) => sum + Number(count), 0)
  return { requests: succeeded, unanswered: failed - (total - started), refused }
}

/** Requests over HTTP/2, several at a time on each connection, until it is stopped. */
export class H2load {
  readonly #url: string
  readonly #connections: number
  readonly #streams: number
  readonly #all: Promise<H2loadCount>
  #isOver = false

  constructor(url: string, connections: number, streams: number) {
    this.#url = url
    this.#connections = connections
    this.#streams = streams
    this.#all = this.#run()
  }

  /** Lets the requests of the run that is under way be answered, and ends. */
  stop(): Promise<H2loadCount> {
    this.#isOver = true
    return this.#all
  }

  async #run(): Promise<H2loadCount> {
    const sum = { requests: 0, unanswered: 0, refused: 0 }
    // Short runs, so that it is soon there again after a GOAWAY, and soon over.
    const size = ['--requests', `${this.#connections * this.#streams * 50}`]
    const shape = ['--clients', `${this.#connections}`, '--max-concurrent-streams', `${this.#streams}`]
    while (!this.#isOver) {
      const child = new Child('h2load', [...size, ...shape, this.#url], { side: 'both' })
      const { requests, unanswered, refused } = countIn(await child.finished())
      sum.requests += requests
      sum.unanswered += unanswered
      sum.refused += refused
    }
    return sum
  }
}
