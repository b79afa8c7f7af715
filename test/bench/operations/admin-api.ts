import { request } from 'node:http'

/** An answer of the admin API. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** One request on a connection of its own: whichever worker is next gets it. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, method, agent: false }, (response) => {
      let answer = ''
      response.setEncoding('utf8').on('data', (part: string) => (answer += part))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: answer }))
    })
    for (const [name, value] of Object.entries(headers)) asked.setHeader(name, value)
    if (text !== undefined) asked.setHeader('content-type', 'application/json')
    asked.once('error', reject).end(text)
  })
}

/** An instance, as `GET /instances` shows it. */
export interface InstanceView {
  readonly state: string
  readonly process: { readonly pid: number }
  readonly balancers: readonly { readonly revision: number; readonly digest: string }[]
}
