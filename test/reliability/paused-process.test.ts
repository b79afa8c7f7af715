import type { BalancerOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { ask } from '../support/ask.ts'
import { startBackend, startRawBackend } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { startChild } from '../support/child.ts'
import { rawClient } from '../support/raw.ts'
import { until } from '../support/until.ts'
import type { CheckedReport } from './checked-process.ts'
import type { Holdings } from './proxy-process.ts'

/** Each limit of the balancer, in ms. */
const limit = 1000
/** How long the process is stopped: much longer than any limit. */
const pause = 3000

/** A balancer in a process of its own, which can be stopped. */
async function startProxy<Report = Holdings>(
  t: TestContext,
  options: BalancerOptions,
  { file = 'proxy-process.ts', checks = {} }: { readonly file?: string; readonly checks?: object } = {},
) {
  const args = [options, checks].map((one) => JSON.stringify(one))
  const { child, first } = await startChild(t, new URL(file, import.meta.url), args)
  const port = Number(first)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async holdings(): Promise<Report> {
      child.send('holdings')
      const [answer] = (await once(child, 'message')) as [Report]
      return answer
    },
    /** Stops it, lets something happen meanwhile, and lets it go on. */
    async stopWhile(happens: () => unknown): Promise<void> {
      child.kill('SIGSTOP')
      await until('it is stopped', () => isStopped(child))
      await happens()
      await after(pause)
      child.kill('SIGCONT')
    },
  }
}

function isStopped({ pid }: ChildProcess): boolean {
  // The state follows the name, which is in brackets.
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

/** A backend that answers nobody until it is told to. */
async function startHolding(t: TestContext) {
  const held: { incoming: IncomingMessage; response: ServerResponse }[] = []
  const backend = await startBackend(t, (incoming, response) => {
    incoming.resume()
    held.push({ incoming, response })
  })
  return { ...backend, held }
}

function unanswered(held: readonly { incoming: IncomingMessage; response: ServerResponse }[], method: string) {
  return held.filter(({ incoming, response }) => incoming.method === method && !response.writableEnded)
}

const timeouts = { connect: limit, continue: limit, headers: limit, idle: limit, request: 0, queue: limit }
const skip = process.platform === 'linux' ? false : 'how to see that a process is stopped is different elsewhere'

describe('while the process is stopped, no time limit runs', { skip, concurrency: 3 }, () => {
  for (const [name, limits] of [
    ['headers', { ...timeouts, idle: 0 }],
    ['request', { headers: 0, idle: 0, request: limit }],
    ['request, beside all others', { ...timeouts, request: limit }],
  ] as const)
    test(`${name}: what was answered meanwhile is an answer`, async (t) => {
      const backends = [await startHolding(t), await startHolding(t)]
      const proxy = await startProxy(t, {
        backends: backends.map(({ url }) => url),
        timeouts: limits,
        retry: { attempts: 0 },
      })
      const answers = Array.from({ length: 20 }, () => ask(proxy.url))
      await until('all have arrived', () => backends.every(({ held }) => held.length === 10))
      await proxy.stopWhile(() => {
        for (const { held } of backends) for (const { response } of held) response.end('meanwhile')
      })
      for (const answer of await Promise.all(answers))
        assert.deepEqual([answer.status, answer.body], [200, 'meanwhile'])
      assert.deepEqual((await proxy.holdings()).outcomes, [{ ok: 10 }, { ok: 10 }])
    })

  test('headers: whoever does not answer afterwards either is too late', async (t) => {
    const backend = await startHolding(t)
    const proxy = await startProxy(t, { backends: [backend.url], timeouts, retry: { attempts: 0 } })
    const answer = ask(proxy.url)
    await until('it has arrived', () => backend.held.length === 1)
    await proxy.stopWhile(() => {})
    assert.equal((await answer).status, 504)
    assert.deepEqual((await proxy.holdings()).outcomes, [{ 'headers-timeout': 1 }])
  })

  test('idle: the rest of a response, and the rest of an upload', async (t) => {
    const backend = await startHolding(t)
    const proxy = await startProxy(t, { backends: [backend.url], timeouts: { ...timeouts, headers: 0 } })
    const download = ask(proxy.url)
    await until('it has arrived', () => backend.held.length === 1)
    backend.held[0]!.response.write('one ')
    const upload = request(proxy.url, { method: 'POST', agent: false })
    upload.write('one ')
    await until('the upload has begun', () => backend.held.length === 2)
    const answered = once(upload, 'response')
    await proxy.stopWhile(() => {
      backend.held[0]!.response.end('two')
      upload.end('two')
    })
    assert.deepEqual([(await download).body, (await download).whole], ['one two', true])
    await until('the upload is whole', () => backend.held[1]!.incoming.complete)
    backend.held[1]!.response.end()
    const [{ statusCode }] = (await answered) as [IncomingMessage]
    assert.equal(statusCode, 200)
    await until('both are over', () => backend.held.every(({ response }) => response.writableFinished))
    assert.deepEqual((await proxy.holdings()).outcomes, [{ ok: 2 }])
  })

  test('queue: a place that became free meanwhile', async (t) => {
    const backend = await startHolding(t)
    const proxy = await startProxy(t, {
      backends: [{ url: backend.url, maxInFlight: 1 }],
      timeouts: { ...timeouts, headers: 0, idle: 0 },
    })
    const first = ask(proxy.url)
    await until('it has arrived', () => backend.held.length === 1)
    const second = ask(proxy.url)
    while ((await proxy.holdings()).waiting === 0) await after(1)
    await proxy.stopWhile(() => backend.held[0]!.response.end('first'))
    assert.equal((await first).body, 'first')
    await until('the next has arrived', () => backend.held.length === 2)
    backend.held[1]!.response.end('second')
    assert.equal((await second).body, 'second')
  })

  test('connect, continue: a handshake of TLS that the backend has answered meanwhile', async (t) => {
    const tls = createTlsServer(localhost, (incoming, response) => void incoming.pipe(response))
    const waiting: Socket[] = []
    const origin = await startRawBackend(t, (socket) => {
      socket.pause()
      waiting.push(socket)
    })
    const proxy = await startProxy(t, {
      backends: [origin.replace('http:', 'https:')],
      pool: { tls: { ca: localhost.cert } },
      timeouts,
    })
    const client = await rawClient(t, proxy.port)
    client.send('POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n')
    await until('it connects', () => waiting.length === 1)
    await proxy.stopWhile(() => tls.emit('connection', waiting[0]))
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    client.send('body')
    await client.until(/HTTP\/1\.1 200 OK[^]*body\r\n0\r\n\r\n/)
    assert.deepEqual((await proxy.holdings()).outcomes, [{ ok: 1 }])
  })

  test('probes, outliers, circuits: nothing is held against anybody, and the log says what it was', async (t) => {
    const backends = [await startHolding(t), await startHolding(t), await startHolding(t)]
    let meanwhile = false
    for (const { server, held } of backends)
      server.on('request', () => {
        const { incoming, response } = held.at(-1)!
        // Before the pause, one probe of each is left waiting.
        if (incoming.method === 'HEAD' && (meanwhile || held.length < 3)) response.end()
      })
    const proxy = await startProxy<CheckedReport>(
      t,
      { backends: backends.map(({ url }) => url), timeouts: { ...timeouts, request: limit } },
      { file: 'checked-process.ts', checks: { interval: 200, jitter: 0, timeout: limit, fall: 1 } },
    )
    const areAsked = (method: string, count: number) =>
      backends.every(({ held }) => unanswered(held, method).length === count)
    await until('a probe waits everywhere', () => areAsked('HEAD', 1))
    const answers = Array.from({ length: 12 }, () => ask(proxy.url))
    await until('the requests have arrived', () => areAsked('GET', 4))
    const probes = () => backends.map(({ received }) => received.filter(({ method }) => method === 'HEAD').length)
    const before = probes()
    await proxy.stopWhile(() => {
      meanwhile = true
      for (const { held } of backends) for (const { response } of held) response.end()
    })
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
    await until('three rounds of probes have followed', () =>
      probes().every((count, index) => count > before[index]! + 3),
    )
    const { objections, outcomes, messages } = await proxy.holdings()
    assert.deepEqual(objections, [])
    assert.deepEqual(outcomes, [{ ok: 4 }, { ok: 4 }, { ok: 4 }])
    assert.equal(messages.filter((message) => /^this process was paused for \d[\d.]* s;/.test(message)).length, 1)
  })
})
