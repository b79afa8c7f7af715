import balancer from '@fastify-balancer/balancer-core'
import circuitBreaker from '@fastify-balancer/circuit-breaker'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { exchange, get, wireClient } from '../../../../test/conformance/wire-client.ts'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { until } from '../../../../test/support/until.ts'
import { addEvents } from '../../src/routes/events.ts'
import { at, backends, deskOf, read, start, told } from './stage.ts'

const about = { type: 'veto', balancer: 'default', by: 'me', reason: 'r', hard: false }
const allDown = { backends: 3, available: 0, eligible: 3 }
const oneUp = { backends: 3, available: 1, eligible: 1 }
const action = {
  who: 'ada',
  what: 'backend.state',
  balancer: 'default',
  backend: 'a',
  before: 'ready',
  after: 'drain',
  text: 'ada drained a',
}

describe('the stream', () => {
  test('begins at once, is not kept by anybody on the way, and ends with its connection', async (t) => {
    const { head, received } = await read(t, await start(t, { events: { reconnect: 1234 } }))
    assert.match(head, /^http\/1\.1 200 ok\r\n/)
    for (const field of [
      'content-type: text/event-stream',
      'cache-control: no-store, no-transform',
      'x-accel-buffering: no',
      'connection: close',
      'transfer-encoding: chunked',
    ])
      assert.ok(head.split('\r\n').includes(field), field)
    assert.match(received, /\r\n\r\n\w+\r\nretry: 1234\nid: e-0\n\n\r\n$/)
  })

  test('carries the headers that other plugins have set, and passes no onSend hook', async (t) => {
    let sent = 0
    const stage = await start(t, {
      scope: (scope) => {
        scope.addHook('onRequest', async (_request, reply) => void reply.header('x-own', 'mine'))
        scope.addHook('onSend', async (_request, _reply, payload) => {
          sent++
          return payload
        })
      },
    })
    assert.match((await read(t, stage)).head, /\r\nx-own: mine/)
    assert.equal(sent, 0)
  })

  test('is not for those whom a hook of the scope refuses', async (t) => {
    const refuse = async () => {
      throw Object.assign(new Error('who are you?'), { statusCode: 401 })
    }
    const { port, streams } = await start(t, { scope: (scope) => void scope.addHook('onRequest', refuse) })
    assert.equal((await exchange(t, port, get('/_balancer/events'))).status, 401)
    assert.equal(streams.size, 0)
  })

  test('HEAD: the headers alone', async (t) => {
    const { port, streams } = await start(t)
    const client = await wireClient(t, port)
    client.send('HEAD /_balancer/events HTTP/1.1\r\nhost: a\r\n\r\n')
    const text = await client.closed()
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(text, /content-type: text\/event-stream\r\n[^]*\r\n\r\n$/)
    assert.equal(streams.size, 0)
  })

  test('over HTTP/1.0 there are no chunks', async (t) => {
    const client = await wireClient(t, (await start(t)).port)
    client.send('GET /_balancer/events HTTP/1.0\r\n\r\n')
    assert.match(await client.until(/id: e-0\n\n/), /\r\n\r\nretry: 3000\nid: e-0\n\n$/)
  })

  for (const query of ['?type=nonsense', '?type=veto,', '?type=', '?type=veto,nonsense', '?balancer=', '?type=gap'])
    test(`a bad question is answered with 400: ${query}`, async (t) => {
      const { port } = await start(t)
      assert.equal((await exchange(t, port, get(`/_balancer/events${query}`))).status, 400)
    })

  test('of a balancer that there is not: 404', async (t) => {
    const { port } = await start(t)
    const { status, body } = await exchange(t, port, get('/_balancer/events?balancer=other'))
    assert.equal(status, 404)
    assert.match(body, /FST_BALANCER_ADMIN_UNKNOWN_BALANCER/)
  })

  test('too many: 503, until one has left', async (t) => {
    const stage = await start(t, { events: { maxStreams: 1 } })
    const first = await read(t, stage)
    const { status, body } = await exchange(t, stage.port, get('/_balancer/events'))
    assert.equal(status, 503)
    assert.match(body, /FST_BALANCER_ADMIN_TOO_MANY_STREAMS/)
    first.socket.destroy()
    await until('the first has left', () => stage.streams.size === 0)
    await read(t, stage)
  })
})

describe('what is told', () => {
  test('vetoes, states and panic', async (t) => {
    const stage = await start(t)
    const { app } = stage
    const reader = await read(t, stage)
    const laid = app.balancer.backends.map((backend) => app.balancer.veto(backend, { by: 'me', reason: 'r' }))
    await reader.take(4)
    laid[0]!.lift()
    await reader.take(6)
    await app.balancer.drain('b')
    await app.balancer.maintain('b')
    const events = (await reader.take(8)).map(told)
    const of = (id: string, what: string) => ({ ...about, available: what === 'lifted', backend: id, action: what })
    const state = { type: 'state', balancer: 'default', backend: 'b' }
    assert.deepEqual(
      events.map(({ since: _since, ...rest }) => rest),
      [
        of('a', 'laid'),
        of('b', 'laid'),
        of('c', 'laid'),
        {
          type: 'panic',
          balancer: 'default',
          panicking: true,
          ...allDown,
          text: 'panic mode: 0 of 3 backends are healthy, all 3 are used',
        },
        of('a', 'lifted'),
        {
          type: 'panic',
          balancer: 'default',
          panicking: false,
          ...oneUp,
          text: 'panic mode ended: 1 of 3 backends is healthy, 1 is used',
        },
        { ...state, state: 'drain', before: 'ready' },
        { ...state, state: 'maintenance', before: 'drain' },
      ],
    )
    assert.deepEqual(
      reader.events.map(({ id, at: when }) => [id, when]),
      reader.events.map((_, index) => [`e-${index + 1}`, at]),
    )
  })

  test('a new list', async (t) => {
    const stage = await start(t)
    const reader = await read(t, stage)
    await stage.app.balancer.setBackends([backends[0]!, { id: 'd', url: 'http://127.0.0.1:4' }])
    const list = { type: 'backends', balancer: 'default', revision: 2, added: ['d'], removed: ['b', 'c'], changed: [] }
    assert.deepEqual((await reader.take(1)).map(told), [list])
  })

  test('circuits', async (t) => {
    const stage = await start(t, { plugins: (app) => app.register(circuitBreaker) })
    const reader = await read(t, stage, '?type=circuit')
    stage.app.circuitBreaker.hold('a', 'open', { reason: 'by hand' })
    const [event] = await reader.take(1)
    const { reason: _reason, ...rest } = told(event!)
    assert.deepEqual(rest, { type: 'circuit', balancer: 'default', backend: 'a', state: 'isolated', before: 'closed' })
    assert.equal(event!.at, stage.app.circuitBreaker.of('a').since)
  })

  test('what is done through the admin API', async (t) => {
    const stage = await start(t)
    const reader = await read(t, stage)
    channel('admin-routes:change').publish({ ...action, revision: 4, at: 99 })
    const [event] = await reader.take(1)
    assert.deepEqual(event, { id: 'e-1', type: 'admin', ...action, revision: 4, at: 99 })
  })

  test('nothing of other servers in this process, whose balancers have the same names', async (t) => {
    const stage = await start(t, { plugins: (app) => app.register(circuitBreaker) })
    const other = await start(t, { plugins: (app) => app.register(circuitBreaker), epoch: 'other' })
    const reader = await read(t, stage)
    other.app.balancer.veto(other.app.balancer.backend('a'), { by: 'other', reason: 'r' })
    await new Promise((resolve) => void setImmediate(resolve))
    other.app.balancer.veto(other.app.balancer.backend('b'), { by: 'other', reason: 'r' })
    other.app.circuitBreaker.hold('a', 'open')
    channel('admin-routes:change').publish({ ...action, revision: 1, at: 1, server: other.app.server })
    channel('admin-routes:change').publish({ ...action, revision: 1, at: 1, balancer: 'unknown' })
    await (await read(t, other, '?lastEventId=other-0')).take(4)
    stage.app.balancer.veto(stage.app.balancer.backend('a'), { by: 'me', reason: 'r' })
    const events = await reader.take(1)
    assert.deepEqual(
      events.map(({ id, type }) => [id, type]),
      [['e-1', 'veto']],
    )
  })

  test('of balancers that are registered later, too', async (t) => {
    const app = Fastify()
    await app.register(balancer, { name: 'one', backends })
    addEvents(app, deskOf(app))
    await app.register(balancer, { name: 'two', backends, prefix: '/two' })
    const stage = { ...(await listenApp(t, app)) }
    const client = await wireClient(t, stage.port)
    client.send(get('/events'))
    await client.until(/id: \w+-0\n/)
    await app.balancers.get('two')!.update('a', { weight: 2 })
    await client.until(/"balancer":"two","at":\d+,"revision":2,"added":\[\],"removed":\[\],"changed":\["a"\]/)
  })

  test('a notice that makes no sense harms nobody', async (t) => {
    const stage = await start(t)
    const reader = await read(t, stage)
    for (const name of ['admin-routes:change', 'circuit-breaker:change', 'balancer-core:backends:change']) {
      channel(name).publish(undefined)
      channel(name).publish({})
    }
    channel('admin-routes:change').publish({ ...action, revision: 4, at: 99 })
    assert.equal((await reader.take(1))[0]!.id, 'e-1')
  })
})

describe('filters', () => {
  test('by type and by balancer', async (t) => {
    const stage = await start(t, {
      plugins: (app) => app.register(balancer, { name: 'two', prefix: '/two', backends }),
    })
    const all = await read(t, stage)
    const some = await read(t, stage, '?type=state,backends')
    const two = await read(t, stage, '?balancer=two')
    const [one, other] = [stage.app.balancers.get('default')!, stage.app.balancers.get('two')!]
    one.veto(one.backend('a'), { by: 'me', reason: 'r' })
    await one.drain('a')
    await other.update('a', { weight: 2 })
    await one.update('b', { weight: 2 })
    const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)
    assert.deepEqual(ids(await all.take(4)), ['e-1', 'e-2', 'e-3', 'e-4'])
    assert.deepEqual(ids(await some.take(3)), ['e-2', 'e-3', 'e-4'])
    assert.deepEqual(ids(await two.take(1)), ['e-3'])
  })
})

describe('who comes back', () => {
  const lay = ({ app }: Awaited<ReturnType<typeof start>>, count: number) => {
    for (let number = 1; number <= count; number++)
      app.balancer.veto(app.balancer.backend('a'), { by: 'me', reason: String(number) })
    return new Promise((resolve) => void setImmediate(resolve))
  }
  const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)

  test('is told what it has missed, by header or by query; the header goes first', async (t) => {
    const stage = await start(t)
    await lay(stage, 4)
    const byHeader = await read(t, stage, '', 'last-event-id: e-2')
    const byQuery = await read(t, stage, '?lastEventId=e-1')
    const byBoth = await read(t, stage, '?lastEventId=e-1', 'last-event-id: e-3')
    const fresh = await read(t, stage)
    await lay(stage, 1)
    assert.deepEqual(ids(await byHeader.take(3)), ['e-3', 'e-4', 'e-5'])
    assert.deepEqual(ids(await byQuery.take(4)), ['e-2', 'e-3', 'e-4', 'e-5'])
    assert.deepEqual(ids(await byBoth.take(2)), ['e-4', 'e-5'])
    assert.deepEqual(ids(await fresh.take(1)), ['e-5'])
  })

  test('a new client gets the recent ones that it asks for, of its types and its balancer; then what happens', async (t) => {
    const stage = await start(t)
    await lay(stage, 4)
    await stage.app.balancer.drain('b')
    const two = await read(t, stage, '?recent=2')
    const states = await read(t, stage, '?recent=2&type=state')
    const all = await read(t, stage, '?recent=1000')
    const none = await read(t, stage, '?recent=0')
    const later = await read(t, stage, '?recent=1000&lastEventId=e-4')
    stage.app.balancer.ready('b')
    assert.deepEqual(ids(await two.take(3)), ['e-4', 'e-5', 'e-6'])
    assert.deepEqual(ids(await states.take(2)), ['e-5', 'e-6'])
    assert.deepEqual(ids(await all.take(6)), ['e-1', 'e-2', 'e-3', 'e-4', 'e-5', 'e-6'])
    assert.deepEqual(ids(await none.take(1)), ['e-6'])
    assert.deepEqual(ids(await later.take(2)), ['e-5', 'e-6'])
    for (const wrong of ['-1', '1.5', 'x'])
      assert.equal((await ask(`${stage.url}/_balancer/events?recent=${wrong}`)).status, 400)
  })

  test('is told first that there is a gap, and can go on from there', async (t) => {
    const stage = await start(t, { events: { keep: 2 } })
    await lay(stage, 5)
    const reader = await read(t, stage, '?type=state', 'last-event-id: e-1')
    const gap = { id: 'e-3', type: 'gap', at, reason: 'overflow', missed: 2 }
    assert.deepEqual(await reader.take(1), [gap])
    const restarted = await read(t, stage, '', 'last-event-id: older-4')
    const events = await restarted.take(3)
    assert.deepEqual(events[0], { id: 'e-3', type: 'gap', at, reason: 'unknown-id' })
    assert.deepEqual(ids(events), ['e-3', 'e-4', 'e-5'])
  })

  test('one epoch for each registration', async (t) => {
    const app = Fastify()
    await app.register(balancer, { backends })
    const desk = deskOf(app)
    for (const prefix of ['/one', '/two']) await app.register(async (scope) => addEvents(scope, desk), { prefix })
    const { port } = await listenApp(t, app)
    const epochs = new Set<string>()
    for (const prefix of ['/one', '/two']) {
      const client = await wireClient(t, port)
      client.send(get(`${prefix}/events`))
      epochs.add(/^id: ([0-9a-f]{12})-0\n/m.exec(await client.until(/id: .*\n/))![1]!)
    }
    assert.equal(epochs.size, 2)
  })
})

describe('the heartbeat', () => {
  test('is one timer for all, and there is none without a client', async (t) => {
    const stage = await start(t, { events: { heartbeat: 15_000 } })
    const { clock, app } = stage
    const idle = clock.pending
    const readers = [await read(t, stage), await read(t, stage, '?type=state')]
    assert.equal(clock.pending, idle + 1)
    clock.advance(14_999)
    app.balancer.veto(app.balancer.backend('a'), { by: 'me', reason: 'r' })
    await readers[0]!.take(1)
    assert.ok(!readers.some(({ received }) => received.includes(': heartbeat')))
    clock.advance(1)
    // Whoever has filtered it out has passed it too, and need not be told of it when it comes back.
    for (const reader of readers)
      assert.match(await reader.until(/: heartbeat\nid: .*\n\n/), /: heartbeat\nid: e-1\n\n/)
    clock.advance(15_000)
    for (const reader of readers) await reader.until(/: heartbeat[^]*: heartbeat/)
    readers[0]!.socket.destroy()
    await until('one has left', () => stage.streams.size === 1)
    assert.equal(clock.pending, idle + 1)
    readers[1]!.socket.destroy()
    await until('both have left', () => stage.streams.size === 0)
    assert.equal(clock.pending, idle)
  })

  test('does not say that an event has been seen which is only about to be sent', async (t) => {
    const stage = await start(t)
    const reader = await read(t, stage)
    channel('admin-routes:change').publish({ ...action, revision: 4, at: 99 })
    stage.clock.advance(15_000)
    const text = await reader.until(/: heartbeat\nid: e-1\n\n/)
    assert.ok(text.indexOf('event: admin') < text.indexOf(': heartbeat'), text)
    assert.equal(reader.events.length, 1)
  })

  test('0: none', async (t) => {
    const stage = await start(t, { events: { heartbeat: 0 } })
    const idle = stage.clock.pending
    await read(t, stage)
    assert.equal(stage.clock.pending, idle)
  })
})
