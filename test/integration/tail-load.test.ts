// The clients and backends of `run.ts tail`, over real sockets.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { now } from '../bench/monotonic.ts'
import { AlarmClock } from '../bench/tail/alarm-clock.ts'
import { Backends } from '../bench/tail/backends/backends.ts'
import { closedLoop } from '../bench/tail/load/closed-loop.ts'
import { Connections } from '../bench/tail/load/connections.ts'
import { openLoop } from '../bench/tail/load/open-loop.ts'

/** ms: nothing here takes as long, unless it never comes. */
const patience = 20_000

async function portOf(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

async function clientsOf(t: TestContext, port: number, give = patience): Promise<Connections> {
  const connections = new Connections(port, give)
  t.after(() => connections.close())
  return connections
}

const serving = async (t: TestContext, listener: RequestListener) =>
  clientsOf(t, await portOf(t, createHttpServer(listener)))

const answerWell = (response: ServerResponse) => response.writeHead(200, { 'content-length': 2 }).end('ok')

describe('an open loop', () => {
  test('goes on while the server stalls, and all who come in that time see it', async (t) => {
    const dues = Array.from({ length: 30 }, (_, index) => index * 10)
    const stalled: ServerResponse[] = []
    let hasStalled = false
    const target = await serving(t, (_request, response) => {
      stalled.push(response)
      // It stands still until the twentieth has come.
      hasStalled ||= stalled.length === 20
      if (hasStalled) stalled.splice(0).forEach(answerWell)
    })
    const asked = await openLoop({ targets: [target], dues, path: () => '/' })
    assert.equal(asked.length, 30)
    assert.ok(asked.every(({ problem }) => problem === ''))
    for (const { at, took } of asked) assert.ok(took >= dues[19]! - at, `due at ${at}, took ${took}`)
  })

  test('counts from when a request was due, not from when it could be sent', async (t) => {
    const target = await serving(t, (_request, response) => answerWell(response))
    const asked = await openLoop({ targets: [target], dues: [0, 100], path: () => '/', late: 500 })
    assert.deepEqual(new Set(asked.map(({ at }) => at)), new Set([0, 100]))
    for (const { at, took } of asked) assert.ok(took >= 500 - at)
  })

  test('sends nothing before it is due, and to balancers in turns', async (t) => {
    const counts = [0, 0]
    const targets = await Promise.all(
      counts.map((_, index) =>
        serving(t, (_request, response) => {
          counts[index]!++
          answerWell(response)
        }),
      ),
    )
    const asked = await openLoop({ targets, dues: [1.5, 20, 24.5, 40], path: () => '/' })
    assert.deepEqual(counts, [2, 2])
    assert.ok(asked.every(({ took }) => took > 0))
  })
})

describe('a closed loop', () => {
  test('keeps as many requests in flight as it has clients, and no more', async (t) => {
    const held: ServerResponse[] = []
    let [inFlight, most, haveMet] = [0, 0, false]
    const target = await serving(t, (_request, response) => {
      most = Math.max(most, ++inFlight)
      response.once('close', () => inFlight--)
      held.push(response)
      // With fewer clients, nobody would ever be answered; more would come meanwhile.
      if (haveMet) release()
      else if (held.length === 3) setTimeout(release, 20)
    })
    function release() {
      haveMet = true
      held.splice(0).forEach(answerWell)
    }
    let sent = 0
    const asked = await closedLoop({ targets: [target], clients: 3, seconds: 0.1, path: () => `/${sent++}` })
    assert.equal(most, 3)
    assert.equal(asked.length, sent)
    assert.ok(asked.every(({ at, problem }) => at < 100 && problem === ''))
  })
})

describe('a client', () => {
  /** Hears what became of a request that is answered with these bytes, each on its own; '' ends the connection. */
  async function problemOf(t: TestContext, parts: readonly string[], give = patience): Promise<string> {
    const server = createServer((socket: Socket) => {
      socket.setNoDelay().on('error', () => socket.destroy())
      socket.once('data', async () => {
        for (const part of parts) {
          if (part === '') socket.end()
          else await new Promise((resolve) => socket.write(part, resolve))
        }
      })
    })
    const target = await clientsOf(t, await portOf(t, server), give)
    return new Promise((resolve) => target.ask('/', resolve))
  }

  test('reads an answer that comes in parts', async (t) => {
    const text = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    assert.equal(await problemOf(t, Array.from(text)), '')
  })

  test('says what was wrong', async (t) => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n'
    assert.equal(await problemOf(t, [head.replace('200', '503'), 'sorry']), 'status 503')
    assert.equal(await problemOf(t, [head, 'hel', '']), 'closed')
    assert.equal(await problemOf(t, ['']), 'closed')
    assert.equal(await problemOf(t, [`${head}hello!`]), 'surplus bytes')
    const server = createServer()
    const closed = await portOf(t, server)
    server.close()
    const target = await clientsOf(t, closed)
    assert.equal(await new Promise((resolve) => target.ask('/', resolve)), 'ECONNREFUSED')
  })

  test('gives up after its patience', async (t) => {
    assert.equal(await problemOf(t, ['HTTP/1.1 200 OK\r\n'], 20), 'unanswered')
  })

  test('uses a connection again after a good answer, and never after another', async (t) => {
    let opened = 0
    let status = 200
    const server = createHttpServer((_request, response) => response.writeHead(status, { 'content-length': 0 }).end())
    server.on('connection', () => opened++)
    const target = await clientsOf(t, await portOf(t, server))
    const ask = () => new Promise((resolve) => target.ask('/', resolve))
    await ask()
    await ask()
    assert.equal(opened, 1)
    status = 500
    await ask()
    await ask()
    assert.equal(opened, 2)
  })
})

test('an alarm clock rings at its time, and a later setting replaces an earlier one', async () => {
  const rung: number[] = []
  let hear: (() => void) | undefined
  const clock = await AlarmClock.start(() => {
    rung.push(now())
    hear?.()
  })
  const ring = () => new Promise<void>((resolve) => (hear = resolve))
  const [soon, later] = [now() + 5_000_000, now() + 20.5]
  let next = ring()
  clock.set(soon)
  clock.set(later)
  await next
  next = ring()
  clock.set(now() - 1)
  await next
  assert.equal(rung.length, 2)
  assert.ok(rung[0]! >= later)
  await clock.stop()
})

test('backends work with their slots, count, and forget all when they begin anew', async (t) => {
  const backends = await Backends.start([
    { slots: 1, mean: 30 },
    { slots: 2, mean: 1 },
  ])
  t.after(() => backends.child.stop())
  const [slow, fast] = await Promise.all(backends.ports.map((port) => clientsOf(t, port)))
  const ask = (target: Connections, path: string) => new Promise<string>((resolve) => target.ask(path, resolve))

  await backends.begin()
  const begun = now()
  const problems = await Promise.all([ask(slow!, '/1000'), ask(slow!, '/1500'), ask(fast!, '/500')])
  assert.deepEqual(problems, ['', '', ''])
  // 30 ms and 45 ms of work, one after the other.
  assert.ok(now() - begun >= 75)
  assert.deepEqual(await backends.counts(), [2, 1])

  const forgotten = ask(slow!, '/1000000')
  while ((await backends.counts())[0] === 2) await ask(fast!, '/0')
  await backends.begin()
  assert.notEqual(await forgotten, '')
  assert.equal(await ask(slow!, '/1000'), '')
  assert.deepEqual(await backends.counts(), [1, 0])
})
