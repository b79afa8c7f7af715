import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  codes,
  endStream,
  send,
  startFrameBackend,
  type FrameConnection,
} from '../../../../../test/support/http2-frames.ts'
import { until } from '../../../../../test/support/until.ts'
import { dispatch, poolOf } from './pool-of.ts'

/** How many requests are under way at once. */
const requests = 3

/** What happens next; `who` is the number of a request. */
type Step =
  | {
      readonly does: 'headers' | 'end' | 'endHeaders' | 'trailers' | 'pause' | 'resume' | 'abort'
      readonly who: number
    }
  | { readonly does: 'data'; readonly who: number; readonly size: number }
  | { readonly does: 'reset'; readonly who: number; readonly code: number }
  | { readonly does: 'goaway'; readonly who: number; readonly code: number }
  | { readonly does: 'fin' | 'rst' | 'write'; readonly who: number }

const who = fc.nat({ max: requests - 1 })
const code = fc.constantFrom(...Object.values(codes))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('headers' as const, 'end' as const), who }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('data' as const), who, size: fc.nat({ max: 3000 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('trailers' as const, 'endHeaders' as const), who }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('abort' as const), who }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('reset' as const), who, code }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('goaway' as const), who, code }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('fin' as const, 'rst' as const), who }) },
  // What was gathered since the last one leaves in one write.
  { weight: 8, arbitrary: fc.record({ does: fc.constant('write' as const), who }) },
)

/** A request as its backend has got it, and what it was sent there. */
interface Place {
  readonly connection: FrameConnection
  readonly stream: number
  sent: string
  hasHeaders: boolean
  /** The backend may send nothing more on it. */
  isOver: boolean
  /** It has sent END_STREAM. */
  hasEnd: boolean
}

/** Lets whatever is on its way arrive: a few turns, in each of which every socket is read. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void setImmediate(resolve))
}

test('whatever frames come, and however they are cut: only END_STREAM is an end, and each request ends once', async (t) => {
  let place: (connection: FrameConnection, stream: number, index: number) => void = () => {}
  const backend = await startFrameBackend(t, {
    onData: (connection, stream, body) => place(connection, stream, Number(body.toString())),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), fc.boolean(), async (steps, isUploading) => {
      const places: Place[][] = Array.from({ length: requests }, () => [])
      place = (connection, stream, index) =>
        places[index]!.push({ connection, stream, sent: '', hasHeaders: false, isOver: false, hasEnd: false })
      const undone: (() => unknown)[] = []
      const pool = poolOf({ after: (undo) => void undone.push(undo as () => unknown) }, backend.url)
      const all = Array.from({ length: requests }, (_, index) => {
        const stream = new Readable({ read() {} })
        stream.push(String(index))
        return dispatch(pool, { method: 'POST', body: isUploading ? stream : Buffer.from(String(index)) })
      })
      await until('all are at the backend', () => places.every(({ length }) => length === 1))
      const aborted = new Set<number>()
      const gathered = new Map<FrameConnection, Buffer[]>()
      const put = ({ connection }: Place, ...frames: Buffer[]) =>
        void gathered.set(connection, [...(gathered.get(connection) ?? []), ...frames])
      const flush = async () => {
        for (const [connection, frames] of gathered) connection.write(...frames)
        gathered.clear()
        await turns()
      }
      for (const one of steps) {
        const recorded = all[one.who]!
        const at = places[one.who]!.at(-1)!
        const { connection, stream } = at
        const isOpen = at.hasHeaders && !at.isOver
        if (one.does === 'write') await flush()
        else if (one.does === 'pause') recorded.controller?.pause()
        else if (one.does === 'resume') recorded.controller?.resume()
        else if (one.does === 'abort') {
          if (recorded.ends === 0) aborted.add(one.who)
          recorded.controller?.abort(new Error('has left'))
        } else if (one.does === 'fin' || one.does === 'rst') {
          await flush()
          if (one.does === 'fin') connection.socket.end()
          else connection.socket.resetAndDestroy()
        } else if (one.does === 'goaway') put(at, send.goaway(Math.max(0, stream - 2), one.code))
        else if (one.does === 'reset') {
          if (!at.isOver || at.hasEnd) put(at, send.reset(stream, one.code))
          at.isOver = true
        } else if (one.does === 'headers' || one.does === 'endHeaders') {
          if (at.hasHeaders || at.isOver) continue
          at.hasHeaders = true
          at.isOver = at.hasEnd = one.does === 'endHeaders'
          put(at, send.headers(stream, { ':status': '200' }, at.hasEnd ? endStream : 0))
        } else if (isOpen && one.does === 'data') {
          const body = `${at.sent.length},`.repeat(one.size).slice(0, one.size)
          at.sent += body
          put(at, send.data(stream, body))
        } else if (isOpen) {
          at.isOver = at.hasEnd = true
          put(
            at,
            one.does === 'end' ? send.data(stream, '', endStream) : send.headers(stream, { 'x-sum': '1' }, endStream),
          )
        }
      }
      await flush()
      for (const { controller } of all) controller?.resume()
      await turns()
      await pool.destroy()
      await turns()
      for (const [index, { ends, isWhole, received, error }] of all.entries()) {
        assert.equal(ends, 1, `request ${index} ended ${ends} times`)
        assert.equal(isWhole, error === undefined)
        if (!isWhole) continue
        const from = places[index]!.find(({ hasEnd, sent }) => hasEnd && sent === received)
        assert.ok(from !== undefined, `request ${index} ended cleanly with ${received.length} bytes`)
        assert.ok(!aborted.has(index), `request ${index} ended cleanly after its client had left`)
      }
      const { running, pending, connected } = pool.stats
      assert.deepEqual([running, pending, connected], [0, 0, 0])
      for (const undo of undone) await undo()
    }),
    { numRuns: 150 },
  )
  await until('all connections are closed', () => backend.connections.every(({ socket }) => socket.destroyed))
})
