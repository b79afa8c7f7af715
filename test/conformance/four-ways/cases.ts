import assert from 'node:assert/strict'
import { until } from '../../support/until.ts'
import { values, type Answer, type Asked, type Asking, type Field, type Question, type Reply } from './exchange.ts'

/** Which protocols are spoken. */
export interface Way {
  readonly client: 1 | 2
  readonly backend: 1 | 2
}

/** One request, and what must come of it on each of the four ways. */
export interface Case {
  readonly question?: Question
  /** The backend answers as soon as it has the head. */
  readonly early?: boolean
  /** By default 200, and the body that it has got. */
  readonly answer?: (answer: Answer, asked: Asked) => void
  /** In the midst of it: what the client does. `backend` tells what the backend has got so far. */
  readonly meanwhile?: (asking: Asking, backend: () => Asked | undefined) => Promise<void>
  readonly check?: (reply: Reply, asked: Asked, way: Way) => void
}

const type: Field = ['content-type', 'text/plain']
const length = (bytes: number): Field => ['content-length', `${bytes}`]
const large = 'large body '.repeat(20_000)

/** Answers with a body of this length, at once. */
function whole(status: number, fields: readonly Field[], body: string): NonNullable<Case['answer']> {
  return (answer) => {
    answer.head(status, [...fields, length(body.length)])
    answer.data(body)
    answer.end()
  }
}

/** By default. */
export function echo(answer: Answer, { body }: Asked): void {
  answer.head(200, [type, length(body.length)])
  if (body !== '') answer.data(body)
  answer.end()
}

const methods: Record<string, Case> = {}
for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])
  for (const body of [undefined, 'a body'])
    methods[`${method} with${body === undefined ? 'out' : ''} a body`] = {
      question: { method, ...(body !== undefined && { body, sized: true }) },
      check: (reply, asked) =>
        assert.deepEqual([asked.method, asked.body, reply.body], [method, body ?? '', body ?? '']),
    }

const statuses: Record<string, Case> = {}
for (const status of [200, 201, 203, 206, 226, 300, 307, 400, 401, 407, 418, 421, 451, 500, 503, 511, 599])
  statuses[`status ${status}`] = {
    answer: whole(status, [type, ['x-status', `${status}`]], 'text'),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'x-status')], [status, 'text', [`${status}`]]),
  }

const bodies: Record<string, Case> = {}
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
      check: (reply, asked) => {
        assert.ok(asked.body === body && asked.whole, 'the backend has it')
        assert.ok(reply.body === body, 'the client has it')
        assert.deepEqual(values(reply.fields, 'content-length'), sized ? [`${body.length}`] : [])
      },
    }

const fields: Record<string, Case> = {
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
const hopByHop: Record<string, Case> = {
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
const hopByHopBack: Record<string, Case> = {
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

const endings: Record<string, Case> = {
  'HEAD has no body, and the length of one': {
    question: { method: 'HEAD' },
    answer: (answer) => answer.head(200, [length(1234)], true),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'content-length')], [200, '', ['1234']]),
  },
  '204 has neither': {
    answer: (answer) => answer.head(204, [['x-a', '1']], true),
    check: (reply) =>
      assert.deepEqual([reply.status, reply.body, values(reply.fields, 'content-length')], [204, '', []]),
  },
  '304 has no body': {
    answer: (answer) => answer.head(304, [['etag', '"a"']], true),
    check: (reply) => assert.deepEqual([reply.status, reply.body, values(reply.fields, 'etag')], [304, '', ['"a"']]),
  },
  'trailers of a response': {
    question: { fields: [['te', 'trailers']] },
    answer: (answer) => {
      answer.head(200, [type, ['trailer', 'x-sum']])
      answer.data('text')
      answer.end([['x-sum', '7']])
    },
    check: (reply) => assert.deepEqual([reply.body, reply.trailers], ['text', [['x-sum', '7']]]),
  },
  'Early Hints before a response': {
    answer: (answer, asked) => {
      answer.interim(103, [
        ['link', '</a.css>; rel=preload; as=style'],
        ['link', '</b.js>; rel=preload; as=script'],
      ])
      echo(answer, asked)
    },
    check: (reply) => {
      const links = reply.interim.map((one) => [one.status, values(one.fields, 'link').join(', ')])
      assert.deepEqual(links, [[103, '</a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script']])
    },
  },
  'a response before the upload has ended, which it stops': {
    question: { method: 'POST', body: large, open: true },
    early: true,
    answer: whole(413, [type], 'too large'),
    check: (reply) => assert.deepEqual([reply.status, reply.body], [413, 'too large']),
  },
  'a client that is told to continue': {
    question: { method: 'POST', body: 'a body', sized: true, fields: [['expect', '100-continue']] },
    check: (reply, asked) => assert.deepEqual([reply.status, asked.body], [200, 'a body']),
  },
  'a request and a response at the same time': {
    question: { method: 'POST', body: 'first second', open: true },
    early: true,
    answer: (answer, asked) => {
      answer.head(200, [type])
      answer.data('begun ')
      void until('all has come', () => asked.whole).then(() => {
        answer.data(asked.body)
        answer.end()
      })
    },
    async meanwhile(asking, backend) {
      await until('the first half is there', () => backend()?.body === 'first ' || backend()?.whole === false)
      asking.finish('second')
    },
    check: (reply, asked) => assert.deepEqual([reply.body, asked.body], ['begun first second', 'first second']),
  },
}

/** So many of these fill the buffers of sockets on the way. */
const times = 60

const brokenOff: Record<string, Case> = {
  'a response of known length that breaks off': {
    answer: (answer) => {
      answer.head(200, [length(1000)])
      answer.data('begun')
      setImmediate(() => answer.cut())
    },
    check: (reply) => assert.equal(reply.whole, false),
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

const ours: Record<string, Case> = {
  'a path that is refused': {
    question: { path: '/a/../b' },
    check: (reply) => assert.deepEqual([reply.status, reply.whole], [400, true]),
  },
  'an expectation that nobody knows': {
    question: { method: 'POST', body: 'a body', sized: true, fields: [['expect', 'a miracle']] },
    check: (reply) => assert.deepEqual([reply.status, reply.whole], [417, true]),
  },
}

/** Requests that reach a backend. */
export function casesOf({ client, backend }: Way): Readonly<Record<string, Case>> {
  return {
    ...methods,
    ...statuses,
    ...bodies,
    ...fields,
    ...(client === 1 && hopByHop),
    ...(backend === 1 && hopByHopBack),
    ...endings,
    ...brokenOff,
    ...ours,
  }
}
