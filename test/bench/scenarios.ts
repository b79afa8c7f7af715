/** What is asked for again and again. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Bytes of body that the client sends. */
  readonly upload: number
  /** Bytes of body that the backend answers with. */
  readonly download: number
  /** The client has a new connection for each request. */
  readonly closes?: boolean
}

export const scenarios = [
  { name: 'get-100', title: 'GET 100 B', method: 'GET', path: '/100-bytes', upload: 0, download: 100 },
  { name: 'get-16k', title: 'GET 16 KiB', method: 'GET', path: '/16-kib', upload: 0, download: 16 * 1024 },
  { name: 'get-1m', title: 'GET 1 MiB', method: 'GET', path: '/1-mib', upload: 0, download: 1024 * 1024 },
  { name: 'post-1k', title: 'POST 1 KiB', method: 'POST', path: '/upload', upload: 1024, download: 100 },
  { name: 'post-1m', title: 'POST 1 MiB', method: 'POST', path: '/upload-1m', upload: 1024 * 1024, download: 100 },
] as const satisfies readonly Scenario[]

export type ScenarioName = (typeof scenarios)[number]['name']

/** A path that every backend answers with the port it listens on: it shows who has answered. */
export const whoPath = '/who'

/** What is sent up and down: letters, so that it may stand in a configuration file. */
export function payload(length: number): string {
  return 'abcdefghijklmnopqrstuvwxyz'.repeat(Math.ceil(length / 26)).slice(0, length)
}
