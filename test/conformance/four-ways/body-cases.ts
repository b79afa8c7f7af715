import assert from 'node:assert/strict'
import { large, length, type, whole, type Case } from './case.ts'
import { values } from './exchange.ts'

/** Methods that both protocols have. */
export const methods: Record<string, Case> = {}
for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'])
  for (const body of [undefined, 'a body'])
    methods[`${method} with${body === undefined ? 'out' : ''} a body`] = {
      question: { method, ...(body !== undefined && { body, sized: true }) },
      check: (reply, asked) =>
        assert.deepEqual([asked.method, asked.body, reply.body], [method, body ?? '', body ?? '']),
    }

/** Statuses of final responses. */
export const statuses: Record<string, Case> = {}
for (const status of [200, 201, 203, 206, 226, 300, 307, 400, 401, 407, 418, 421, 451, 500, 503, 511, 599])
  statuses[`status ${status}`] = {
    answer: whole(status, [type, ['x-status', `${status}`]], 'text'),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'x-status')], [status, 'text', [`${status}`]]),
  }

/** Bodies of all sizes, both ways. */
export const bodies: Record<string, Case> = {}
for (const [size, body] of Object.entries({
  empty: '',
  small: 'small',
  'with bytes of every value': String.fromCharCode(...Array(256).keys()),
  large,
}))
  for (const sized of [true, false])
    bodies[`a body, ${size}, of ${sized ? '' : 'un'}known length, both ways`] = {
      question: { method: 'POST', body, sized },
      answer: (answer, asked) => {
        answer.head(200, sized ? [type, length(body.length)] : [type])
        for (let at = 0; at < asked.body.length; at += 100_000) answer.data(asked.body.slice(at, at + 100_000))
        answer.end()
      },
      check: (reply, asked, { lane }) => {
        assert.ok(asked.body === body && asked.whole, 'the backend has it')
        assert.ok(reply.body === body, 'the client has it')
        // The full lane may have the whole of a small body, and so its length.
        const lengths = values(reply.fields, 'content-length')
        if (sized || (lane === 'full' && lengths.length > 0)) assert.deepEqual(lengths, [`${body.length}`])
        else assert.deepEqual(lengths, [])
      },
    }
