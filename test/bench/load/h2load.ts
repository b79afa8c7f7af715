import { Child } from '../child.ts'
import { programVersion } from '../versions.ts'

/** What is asked for, and how. */
export interface Asking {
  readonly protocol: 'http1' | 'h2c'
  readonly path: string
  /** A file with the body; without it, GET. */
  readonly body?: string
  readonly headers?: readonly string[]
  readonly connections: number
  /** Requests at a time on each connection. */
  readonly streams: number
  readonly seconds: number
}

/** undefined when h2load (nghttp2) is not installed. */
export const h2loadVersion = (): string | undefined => programVersion('h2load', '--version')

/** Asks a port of the loopback, on the load side's cores; answers how many requests succeeded. @throws Error if any failed */
export async function runH2load(port: number, asking: Asking): Promise<number> {
  const { protocol, path, body, headers = [], connections, streams, seconds } = asking
  const h2load = new Child(
    'h2load',
    [
      ...(protocol === 'http1' ? ['--h1'] : []),
      ...['--clients', `${connections}`, '--max-concurrent-streams', `${streams}`, '--duration', `${seconds}`],
      ...(body === undefined ? [] : ['--data', body]),
      ...headers.flatMap((header) => ['--header', header]),
      `http://127.0.0.1:${port}${path}`,
    ],
    { side: 'load' },
  )
  const output = await h2load.finished()
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(output) ?? []
  const [, good] = /status codes: (\d+) 2xx/.exec(output) ?? []
  if (succeeded === undefined || Number(good) < Number(succeeded)) throw new Error(`h2load: ${output}`)
  // What was under way at the end counts as failed.
  if (Number(failed) > connections * streams) throw new Error(`h2load: ${output}`)
  return Number(succeeded)
}
