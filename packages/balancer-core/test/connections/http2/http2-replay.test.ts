import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { listen } from '../../../../../test/support/backend.ts'
import { dispatch, poolOf, type Recorded } from './pool-of.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'] as const
const bodies = ['none', 'Buffer', 'stream', 'untouched stream'] as const

/** What happens next. */
type Step =
  | { readonly does: 'ask'; readonly method: (typeof methods)[number]; readonly body: (typeof bodies)[number] }
  /** The newest connection is sent away; its last `spared` streams count as not processed. */
  | { readonly does: 'goaway'; readonly spared: number; readonly code: number }
  /** The backend refuses the next streams. */
  | { readonly does: 'refuse'; readonly count: number }
  | { readonly does: 'respond' | 'turn' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      does: fc.constant('ask' as const),
      method: fc.constantFrom(...methods),
      body: fc.constantFrom(...bodies),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('goaway' as const),
      spared: fc.nat({ max: 4 }),
      code: fc.constantFrom(constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('refuse' as const), count: fc.integer({ min: 1, max: 2 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constantFrom('respond' as const, 'turn' as const) }),
  },
)

/** Lets whatever is on its way arrive. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => void setImmediate(resolve))
}

/** A stream that a backend has, and what came on it. */
interface Place {
  readonly stream: ServerHttp2Stream
  readonly session: ServerHttp2Session
  readonly index: number
  body: string
  hasEnd: boolean
  /** The backend has said that it does not process it. */
  isRefused: boolean
  isAnswered: boolean
  /** It may have been processed, but its connection has failed: for Node, GOAWAY with an error ends all its streams. */
  isCut: boolean
  /** It was refused by RST_STREAM. */
  isReset: boolean
}

interface Sent {
  readonly recorded: Recorded
  readonly body: (typeof bodies)[number]
  readonly stream: PassThrough | undefined
}

test('whatever is refused or sent away, at any moment: all that can be sent again is, and nothing is processed twice', async (t) => {
  let places: Place[] = []
  let sessions: ServerHttp2Session[] = []
  let refusals = 0
  const server = createServer()
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, { ':path': path }: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    const place: Place = {
      ...{ stream, session: stream.session as ServerHttp2Session, index: Number(path!.slice(1)) },
      ...{ body: '', hasEnd: false, isRefused: false, isAnswered: false, isCut: false, isReset: false },
    }
    places.push(place)
    stream.on('data', (chunk: Buffer) => (place.body += chunk.toString()))
    stream.on('end', () => (place.hasEnd = true))
    if (refusals === 0) return
    refusals--
    place.isRefused = place.isReset = true
    stream.close(constants.NGHTTP2_REFUSED_STREAM)
  })
  const url = await listen(server)
  t.after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })

  const answer = (place: Place) => {
    if (place.isAnswered || place.isRefused || !place.hasEnd || place.stream.destroyed) return
    place.isAnswered = true
    place.stream.respond({ ':status': 200 })
    place.stream.end(`answer to ${place.index}`)
  }

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      places = []
      sessions = []
      refusals = 0
      const undone: (() => unknown)[] = []
      const pool = poolOf({ after: (undo) => void undone.push(undo as () => unknown) }, url)
      const all: Sent[] = []
      for (const one of steps) {
        if (one.does === 'ask') {
          const index = all.length
          const stream = one.body.endsWith('stream') ? new PassThrough() : undefined
          if (one.body === 'stream') stream!.write(`body ${index}`)
          const body = one.body === 'none' ? null : (stream ?? Buffer.from(`body ${index}`))
          all.push({
            recorded: dispatch(pool, { method: one.method, path: `/${index}`, body }),
            body: one.body,
            stream,
          })
        } else if (one.does === 'respond') {
          const next = places.find(({ isAnswered, isRefused, hasEnd }) => hasEnd && !isAnswered && !isRefused)
          if (next !== undefined) answer(next)
        } else if (one.does === 'turn') await turns()
        else if (one.does === 'refuse') refusals += one.count
        else if (one.does === 'goaway') {
          const session = sessions.at(-1)
          if (session === undefined || session.destroyed) continue
          const own = places.filter((place) => place.session === session && !place.isRefused)
          // What was answered was processed.
          const processed = own.filter(({ isAnswered }) => isAnswered).map(({ stream }) => stream.id!)
          const ids = own.map(({ stream }) => stream.id!)
          // Node's server takes 0 for "all".
          const last = Math.max(0, ...processed, ...ids.slice(0, Math.max(1, ids.length - one.spared)))
          for (const place of own) if (place.stream.id! > last) place.isRefused = true
          if (one.code !== constants.NGHTTP2_NO_ERROR) for (const place of own) if (!place.isRefused) place.isCut = true
          session.goaway(one.code, last)
        }
      }
      refusals = 0
      for (const { body, stream } of all) if (body === 'stream') stream!.end()
      for (const [index, { body, stream }] of all.entries())
        if (body === 'untouched stream') stream!.end(`body ${index}`)
      for (let turn = 0; turn < 300 && all.some(({ recorded }) => recorded.ends === 0); turn++) {
        await turns()
        for (const place of places) answer(place)
      }
      if (all.some(({ recorded }) => recorded.ends === 0))
        console.log(
          JSON.stringify(steps),
          JSON.stringify(pool.stats),
          all.map(({ recorded }, i) => [i, recorded.ends, recorded.started, recorded.status]),
          places.map((p) => [
            p.index,
            p.stream.id,
            sessions.indexOf(p.session),
            p.hasEnd,
            p.isRefused,
            p.isAnswered,
            p.stream.destroyed,
            p.stream.closed,
            p.body,
          ]),
        )
      await turns()
      for (const [index, { recorded, body }] of all.entries()) {
        const { ends, isWhole, received, started, error } = recorded
        const own = places.filter((place) => place.index === index)
        const processed = own.filter(({ isAnswered }) => isAnswered)
        assert.equal(ends, 1, `request ${index} ended ${ends} times`)
        assert.ok(processed.length <= 1, `request ${index} was processed ${processed.length} times`)
        if (isWhole) {
          assert.equal(received, `answer to ${index}`)
          assert.equal(processed[0]!.body, body === 'none' ? '' : `body ${index}`)
          continue
        }
        if (own.some(({ isCut }) => isCut)) continue
        const wasSentAway = own.every(({ isReset }) => !isReset) && own.length < 4
        assert.ok(!wasSentAway, `request ${index} was only sent away by GOAWAY, and failed: ${error?.message}`)
        // It goes to another backend, unless this one got part of a body that cannot be read twice.
        assert.equal(processed.length, 0, `request ${index} was processed, and failed: ${error?.message}`)
        if (started) assert.equal(body, 'stream', `request ${index} could be sent again`)
      }
      assert.equal(pool.stats.running, 0)
      for (const undo of undone) await undo()
    }),
    { numRuns: 60 },
  )
})
