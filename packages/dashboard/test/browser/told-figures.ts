import { request } from 'node:http'
import { authorizationOf } from './users.ts'

/** What the server tells of one balancer, about once a second. */
export interface ToldFigures {
  readonly balancer: string
  readonly seconds: number
  readonly requests: number
  readonly failed: number
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number } | null
  readonly backends: readonly { readonly id: string; readonly requests: number }[]
}

/** Listens to the same figures as the page, until they are closed. */
export class ToldFigureList {
  readonly all: ToldFigures[] = []
  readonly #request

  constructor(origin: string) {
    const headers = { authorization: authorizationOf('viewer') }
    this.#request = request(`${origin}/_balancer/events?type=figures`, { headers })
    this.#request.on('response', (response) => {
      let rest = ''
      response.setEncoding('utf8')
      response.on('error', () => {})
      response.on('data', (text: string) => {
        const frames = (rest + text).split('\n\n')
        rest = frames.pop()!
        for (const frame of frames) this.#read(frame)
      })
    })
    this.#request.on('error', () => {})
    this.#request.end()
  }

  close(): void {
    this.#request.destroy()
  }

  #read(frame: string): void {
    const data = /^data: (.*)$/m.exec(frame)?.[1]
    if (data !== undefined) this.all.push(JSON.parse(data) as ToldFigures)
  }
}
