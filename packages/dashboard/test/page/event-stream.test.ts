import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EventStream } from '../../page/live/event-stream.ts'
import { figures } from './told.ts'

/** Stands in for the browser's: it does nothing by itself. */
class FakeSource extends EventTarget {
  static readonly all: FakeSource[] = []
  readonly url: URL
  isClosed = false

  constructor(url: URL) {
    super()
    this.url = url
    FakeSource.all.push(this)
  }

  close(): void {
    this.isClosed = true
  }

  tell(type: string, data: unknown, lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data), lastEventId }))
  }
}

function stage(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const real = globalThis.EventSource
  globalThis.EventSource = FakeSource as unknown as typeof EventSource
  FakeSource.all.length = 0
  const heard: string[] = []
  const stream = new EventStream(new URL('http://127.0.0.1/_balancer/events'), {
    connection: (connection) => void heard.push(connection),
    opened: () => void heard.push('opened'),
    event: ({ type }) => void heard.push(type),
    figures: ({ balancer }) => void heard.push(`figures of ${balancer}`),
    gap: () => void heard.push('gap'),
  })
  t.after(() => {
    stream.close()
    globalThis.EventSource = real
  })
  stream.open()
  const opened = () => FakeSource.all.length
  return { stream, heard, opened, latest: () => FakeSource.all.at(-1)!, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('it asks for all types by name, and passes on what it is told', (t) => {
  const { heard, latest } = stage(t)
  assert.equal(
    latest().url.searchParams.get('type'),
    'veto,circuit,panic,state,backends,admin,queue,overload,reload,figures',
  )
  // What happened before the page was opened comes first.
  assert.equal(latest().url.searchParams.get('recent'), '100')
  latest().dispatchEvent(new Event('open'))
  latest().tell('veto', { type: 'veto' }, '1')
  latest().tell('figures', figures(0))
  latest().tell('gap', { type: 'gap' }, '7')
  assert.deepEqual(heard, ['live', 'opened', 'veto', 'figures of api', 'gap'])
})

test('it comes back by itself, later and later, and goes on where it was cut', (t) => {
  const { heard, latest, opened, tick } = stage(t)
  latest().tell('state', { type: 'state' }, 'x-4')
  // Figures have no id, and do not take that of the others away.
  latest().tell('figures', figures(0))
  for (const pause of [500, 1000, 2000, 4000, 8000, 8000]) {
    const before = opened()
    const cut = latest()
    cut.dispatchEvent(new Event('error'))
    assert.equal(cut.isClosed, true)
    tick(pause - 1)
    assert.equal(opened(), before)
    tick(1)
    assert.equal(opened(), before + 1)
    assert.equal(latest().url.searchParams.get('lastEventId'), 'x-4')
    assert.equal(latest().url.searchParams.has('recent'), false)
  }
  latest().dispatchEvent(new Event('open'))
  assert.deepEqual(heard.slice(-3), ['reconnecting', 'live', 'opened'])
  const before = opened()
  latest().dispatchEvent(new Event('error'))
  tick(500)
  assert.equal(opened(), before + 1)
})

test('a stream without figures for long is taken as dead; one that never had any is not', (t) => {
  const { heard, latest, opened, tick } = stage(t)
  latest().dispatchEvent(new Event('open'))
  tick(60_000)
  assert.equal(opened(), 1)
  latest().tell('figures', figures(0))
  tick(9999)
  latest().tell('figures', figures(10))
  tick(9999)
  assert.equal(heard.includes('reconnecting'), false)
  tick(1)
  assert.equal(heard.at(-1), 'reconnecting')
  tick(500)
  assert.equal(opened(), 2)
})

test('once closed it stays away', (t) => {
  const { stream, latest, opened, tick } = stage(t)
  latest().dispatchEvent(new Event('error'))
  stream.close()
  tick(60_000)
  assert.equal(opened(), 1)
})
