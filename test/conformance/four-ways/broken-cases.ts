import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import { large, length, type, type Case } from './case.ts'
import { values } from './exchange.ts'

/** So many of these fill the buffers of sockets on the way. */
const times = 60

/** Requests and responses that do not come to their end, or not soon. */
export const brokenOff: Record<string, Case> = {
  'a response of known length that breaks off': {
    answer: (answer) => {
      answer.head(200, [length(1000)])
      answer.data('begun')
      setImmediate(() => answer.cut())
    },
    // The full lane may not have begun yet: then the client gets an error.
    check: (reply, _asked, { lane }) => assert.ok(!reply.whole || (lane === 'full' && reply.status === 502)),
  },
  'a response of unknown length that breaks off': {
    answer: (answer) => {
      answer.head(200, [type])
      answer.data('begun')
      setImmediate(() => answer.cut())
    },
    check: (reply) => assert.equal(reply.whole, false),
  },
  'a backend that breaks off before it answers': {
    question: { method: 'POST' },
    answer: (answer) => answer.cut(),
    check: (reply) => {
      assert.deepEqual(
        [reply.status, reply.whole, values(reply.fields, 'content-type')],
        [502, true, ['application/json; charset=utf-8']],
      )
      assert.deepEqual((JSON.parse(reply.body) as { statusCode: number }).statusCode, 502)
    },
  },
  'a client that leaves in its upload: the backend never takes it for whole': {
    question: { method: 'POST', body: 'first second', open: true },
    async meanwhile(asking, backend) {
      await until('the backend has it', () => backend() !== undefined)
      asking.abort()
      await until('the backend knows', () => backend()!.broken)
    },
    check: (_reply, asked) => assert.equal(asked.whole, false),
  },
  'a client that leaves while it waits for a response: the backend learns of it': {
    early: true,
    answer: () => {},
    question: { method: 'POST', body: 'whole', open: true },
    async meanwhile(asking, backend) {
      await until('the backend has it', () => backend() !== undefined)
      asking.abort()
      await until('the backend knows', () => backend()!.broken)
    },
  },
  'a client that reads slowly holds its backend up, and gets all': {
    question: { paused: true },
    answer: (answer) => {
      answer.head(200, [type, length(large.length * times)])
      for (let sent = 0; sent < times; sent++) answer.data(large)
      answer.end()
      stuck = () => answer.unsent > large.length
    },
    async meanwhile(asking) {
      let same = 0
      await until('its backend waits', () => (same = stuck() ? same + 1 : 0) > 30)
      asking.resume()
    },
    check: (reply) => assert.ok(reply.body === large.repeat(times)),
  },
}
let stuck = () => false
