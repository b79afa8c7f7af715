import { Agent } from 'node:http'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import type { TestContext } from 'node:test'
import { ask } from '../../support/ask.ts'
import { localhost } from '../../support/certificates.ts'

/** One request after the other, until it is stopped or refused. */
export interface Asking {
  /** Whole responses with status 200. */
  answered: number
  /** Everything else, but for a refused connection. */
  readonly faults: string[]
  /** Nothing listens any more. */
  isRefused: boolean
  /** Resolves when the last request has ended. */
  stop(): Promise<void>
}

/** What came of one request: `again`: the server did not begin it, so it may be sent again (RFC 9113 §8.7). */
type Ending = 'answered' | 'refused' | 'again' | { readonly fault: string }

function askAgainAndAgain(askOnce: () => Promise<Ending>): Asking {
  let isOver = false
  const asking = { answered: 0, faults: [] as string[], isRefused: false }
  const run = async () => {
    while (!isOver && !asking.isRefused) {
      // oxlint-disable-next-line no-await-in-loop -- one request after the other
      const ending = await askOnce()
      if (ending === 'answered') asking.answered++
      else if (ending === 'refused') asking.isRefused = true
      else if (ending !== 'again') asking.faults.push(ending.fault)
    }
  }
  const end = run()
  return Object.assign(asking, {
    stop() {
      isOver = true
      return end
    },
  })
}

const isRefusal = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'

/** Over HTTP/1.1, on a connection that is kept. */
export function askOnKeptConnection(t: TestContext, url: string): Asking {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  return askAgainAndAgain(async () => {
    const { status, whole, error } = await ask(url, { agent })
    if (status === 200 && whole) return 'answered'
    return isRefusal(error) ? 'refused' : { fault: error?.message ?? `status ${status}` }
  })
}

/** Over HTTP/2, in a session that is kept until the server ends it. */
export function askInSession(t: TestContext, url: string): Asking {
  let session: ClientHttp2Session | undefined
  let sessionError: unknown
  t.after(() => session?.destroy())
  return askAgainAndAgain(async () => {
    if (session === undefined || session.closed || session.destroyed) {
      sessionError = undefined
      session = connect(url, { ca: localhost.cert })
      session.on('error', (error) => (sessionError = error))
    }
    const ending = await askOnStream(session)
    return isRefusal(sessionError) ? 'refused' : ending
  })
}

function askOnStream(session: ClientHttp2Session): Promise<Ending> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/' })
    let status: number | undefined
    let isWhole = false
    let fault = 'closed'
    stream.on('response', (headers) => (status = headers[':status']))
    stream.on('error', ({ message }) => (fault = message))
    stream.on('end', () => (isWhole = true)).resume()
    stream.on('close', () => {
      if (status === 200 && isWhole && stream.rstCode === 0) resolve('answered')
      else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve('again')
      else resolve({ fault: `${fault} (${status})` })
    })
  })
}
