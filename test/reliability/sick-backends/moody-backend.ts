import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { unusedOrigin } from '../../support/backend.ts'
import { MortalServer } from '../../support/mortal-server.ts'

/** How a backend answers. */
export interface Mood {
  readonly status?: number
  /** In ms. */
  readonly delay?: number
  readonly headers?: OutgoingHttpHeaders
}

/** A backend in this process, whose answers can be changed while it runs. */
export interface MoodyBackend {
  readonly id: string
  readonly url: string
  /** How it answers whatever is not a probe (HEAD); those always get 200 at once. */
  mood: Mood | ((request: IncomingMessage) => Mood)
  /** How many GETs it has been sent. */
  readonly received: number
  /** Stops listening and cuts every connection. */
  down(): Promise<void>
  /** Listens, after `down` on the same port again. */
  up(): Promise<void>
}

/** Starts a backend that answers with its id; it is stopped when the test ends. */
export async function startMoodyBackend(t: TestContext, id: string, mood: Mood = {}): Promise<MoodyBackend> {
  let received = 0
  // Nobody else is given its port while it is down.
  const server = new MortalServer(await unusedOrigin(), (request, response) => {
    if (request.method === 'HEAD') return response.end()
    received++
    const {
      status = 200,
      delay = 0,
      headers = {},
    } = typeof backend.mood === 'function' ? backend.mood(request) : backend.mood
    const answer = () => void response.writeHead(status, headers).end(id)
    if (delay === 0) answer()
    else setTimeout(answer, delay)
    return undefined
  })
  const backend: MoodyBackend = {
    id,
    url: server.url,
    mood,
    get received() {
      return received
    },
    down: () => server.die(),
    up: () => server.live(),
  }
  await backend.up()
  t.after(() => server.die())
  return backend
}

/** Starts four of them: a, b, c and d. */
export function startFourMoody(t: TestContext, mood: Mood = {}): Promise<MoodyBackend[]> {
  return Promise.all(['a', 'b', 'c', 'd'].map((id) => startMoodyBackend(t, id, mood)))
}
