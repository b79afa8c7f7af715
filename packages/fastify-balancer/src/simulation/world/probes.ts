import type { Guest } from './visit.ts'
import type { SimulatedServer } from './server.ts'

/** A request of average size. */
const work = { first: 0.5, second: 0.25 }

/** How many probes are under way, and whether what waits for one has not been told yet. */
export class Probes {
  underWay = 0
  /** Those of them that are at a server like requests. */
  asking = 0
  /** One has ended: promises wait for their turn. */
  hasEnded = false

  /** Connects to a server and asks nothing. Rejects if the connection is refused; a paused server can be reached. */
  connect(server: SimulatedServer): Promise<void> {
    this.underWay++
    return new Promise((resolve, reject) => {
      server.reach((isUp) => {
        this.underWay--
        this.hasEnded = true
        if (isUp) resolve()
        else reject(new Error('connect ECONNREFUSED'))
      })
    })
  }

  /** Asks a server as an active health check does. Rejects where it does not answer, or answers 500 or more. */
  ask(server: SimulatedServer, signal: AbortSignal): Promise<void> {
    this.underWay++
    this.asking++
    return new Promise((resolve, reject) => {
      let controller: Parameters<Guest['onRequestStart']>[0] | undefined
      const end = (error: Error | undefined) => {
        this.underWay--
        this.asking--
        this.hasEnded = true
        if (error === undefined) resolve()
        else reject(error)
      }
      let status = 0
      server.visit(work, {
        onRequestStart: (own) => void (controller = own),
        onRequestSent() {},
        onResponseStart: (_controller, answered) => void (status = answered),
        onResponseEnd: () => end(status < 500 ? undefined : new Error(`HTTP ${status}`)),
        onResponseError: (_controller, error) => end(error as Error),
      })
      signal.addEventListener('abort', () => controller?.abort(new Error('the probe was ended')))
    })
  }
}
