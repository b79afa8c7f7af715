import assert from 'node:assert/strict'
import { whole, type Case } from './case.ts'
import { values, type Field } from './exchange.ts'

/** Fields that cross. */
export const fields: Record<string, Case> = {
  'repeated fields keep their order, as lines or as a list': {
    question: {
      fields: [
        ['x-many', '1'],
        ['accept', 'text/a'],
        ['x-many', '2'],
        ['accept', 'text/b'],
      ],
    },
    answer: whole(
      200,
      [
        ['vary', 'a'],
        ['x-many', '3'],
        ['vary', 'b'],
        ['x-many', '4'],
      ],
      '',
    ),
    check: (reply, asked) => {
      const list = (all: readonly Field[], name: string) => values(all, name).join(', ')
      assert.deepEqual([list(asked.fields, 'x-many'), list(asked.fields, 'accept')], ['1, 2', 'text/a, text/b'])
      assert.deepEqual([list(reply.fields, 'x-many'), list(reply.fields, 'vary')], ['3, 4', 'a, b'])
    },
  },
  cookies: {
    question: { fields: [['cookie', 'a=1; b=2']] },
    answer: whole(
      200,
      [
        ['set-cookie', 'a=1; Path=/'],
        ['set-cookie', 'b="x, y"; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
      ],
      '',
    ),
    check: (reply, asked) => {
      assert.equal(values(asked.fields, 'cookie').join('; '), 'a=1; b=2')
      assert.deepEqual(values(reply.fields, 'set-cookie'), [
        'a=1; Path=/',
        'b="x, y"; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
      ])
    },
  },
  'bytes above 0x7F in values': {
    question: { fields: [['x-name', 'caf\xe9']] },
    answer: whole(200, [['x-name', 'th\xe9']], ''),
    check: (reply, asked) =>
      assert.deepEqual([values(asked.fields, 'x-name'), values(reply.fields, 'x-name')], [['caf\xe9'], ['th\xe9']]),
  },
  'empty values, and large ones': {
    question: {
      fields: [
        ['x-empty', ''],
        ['x-large', 'x'.repeat(8000)],
      ],
    },
    answer: whole(
      200,
      [
        ['x-empty', ''],
        ['x-large', 'y'.repeat(20_000)],
      ],
      '',
    ),
    check: (reply, asked) => {
      assert.deepEqual([values(asked.fields, 'x-empty'), values(reply.fields, 'x-empty')], [[''], ['']])
      assert.deepEqual(
        [values(asked.fields, 'x-large')[0]!.length, values(reply.fields, 'x-large')[0]!.length],
        [8000, 20_000],
      )
    },
  },
  'the host is the one that the client asked for': {
    question: { host: 'b.example:8080' },
    check: (_reply, asked) => assert.equal(asked.host, 'b.example:8080'),
  },
  'a path is passed on byte for byte': {
    question: { path: '/a//b;c=d/%7Ee/?q=%20&r=/../' },
    check: (reply, asked) => assert.deepEqual([reply.status, asked.path], [200, '/a//b;c=d/%7Ee/?q=%20&r=/../']),
  },
  'te: trailers goes on, other codings do not': {
    question: { fields: [['te', 'trailers']] },
    check: (_reply, asked) => assert.deepEqual(values(asked.fields, 'te'), ['trailers']),
  },
}

/** What only HTTP/1.1 has, and must not cross to the other side, whichever protocol that has. */
export const hopByHop: Record<string, Case> = {
  'fields of one connection, from the client': {
    question: {
      fields: [
        ['connection', 'x-mine, keep-alive'],
        ['keep-alive', 'timeout=9'],
        ['x-mine', '1'],
        ['proxy-connection', 'a'],
        ['x-other', '2'],
      ],
    },
    check: (_reply, asked) => {
      for (const name of ['keep-alive', 'x-mine', 'proxy-connection'])
        assert.deepEqual(values(asked.fields, name), [], name)
      assert.deepEqual(values(asked.fields, 'x-other'), ['2'])
    },
  },
}
/** The same, in responses. */
export const hopByHopBack: Record<string, Case> = {
  'fields of one connection, from the backend': {
    answer: whole(
      200,
      [
        ['connection', 'x-mine, close'],
        ['keep-alive', 'timeout=9'],
        ['x-mine', '1'],
        ['proxy-connection', 'a'],
        ['x-other', '2'],
      ],
      'text',
    ),
    check: (reply, _asked, way) => {
      for (const name of ['x-mine', 'proxy-connection']) assert.deepEqual(values(reply.fields, name), [], name)
      if (way.client === 2) assert.deepEqual(values(reply.fields, 'connection'), [])
      assert.ok(!values(reply.fields, 'keep-alive').includes('timeout=9'))
      assert.deepEqual([values(reply.fields, 'x-other'), reply.body], [['2'], 'text'])
    },
  },
}
