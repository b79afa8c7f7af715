import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { unusedOrigin } from '../support/backend.ts'
import { MortalServer } from '../support/mortal-server.ts'
import type { IncidentTime } from './incident-time.ts'

/** Answers after so long when all is well (ms). */
const usual = 10

/** A backend that can be told to misbehave. It takes its time by the clock of the test. */
export class SickBackend {
  readonly id: string
  readonly url: string
  /** It answers so many ms after it was asked; Infinity = never. */
  delay = usual
  /** It answers with this status, except to probes. */
  status = 200
  /** Requests that have no answer yet, probes left out. */
  held = 0
  /** The same for probes. */
  heldProbes = 0
  readonly #time: IncidentTime
  readonly #server: MortalServer

  private constructor(id: string, url: string, time: IncidentTime) {
    this.id = id
    this.url = url
    this.#time = time
    this.#server = new MortalServer(url, ({ method }, response) => this.#onRequest(method!, response), {
      keepAliveTimeout: 0,
    })
  }

  static async start(id: string, time: IncidentTime): Promise<SickBackend> {
    const backend = new SickBackend(id, await unusedOrigin(), time)
    await backend.live()
    return backend
  }

  /** Listens, again perhaps. */
  live(): Promise<void> {
    return this.#server.live()
  }

  /** Stops listening and cuts every connection. */
  die(): Promise<void> {
    return this.#server.die()
  }

  #onRequest(method: string, response: ServerResponse): void {
    const isProbe = method === 'HEAD'
    // A probe is answered at once, or never.
    if (isProbe && this.delay !== Infinity) return void response.end()
    if (isProbe) this.heldProbes++
    else this.held++
    const socket = response.socket as Socket
    let isOver = false
    const leave = () => {
      if (isOver) return
      isOver = true
      if (isProbe) this.heldProbes--
      else this.held--
      socket.off('close', leave)
    }
    socket.on('close', leave)
    if (this.delay === Infinity) return
    this.#time.setTimeout(() => {
      leave()
      response.statusCode = this.status
      response.end(this.id)
    }, this.delay)
  }
}
