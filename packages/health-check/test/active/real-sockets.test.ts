import { Balancer } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { listen, startBackend, unusedOrigin } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { ActiveCheck } from '../../src/active/active-check.ts'
import type { GivenActiveOptions } from '../../src/active/active-options.ts'
import { optionsOf, realClock } from '../probe/asking.ts'

/** A check in real time of so many backends at one address, told apart by their ids. */
function checking(t: TestContext, urls: readonly string[], given: GivenActiveOptions) {
  const balancer = new Balancer({
    backends: urls.map((url, index) => ({ url, id: `${index}` })),
    clock: realClock,
  })
  const starts = new Map<string, number[]>()
  const check = new ActiveCheck(
    balancer,
    optionsOf(given),
    () => {},
    ({ id }, { good }) => {
      if (!good) return
      const all = starts.get(id) ?? []
      all.push(performance.now())
      starts.set(id, all)
    },
  )
  t.after(async () => {
    check.stop()
    await balancer.close()
  })
  return { balancer, check, starts }
}

test('300 that accept and say nothing hold up none of those that answer, and leave no connection', async (t) => {
  const hanging = new Set<Socket>()
  let hung = 0
  const silent = createServer((socket) => {
    hanging.add(socket)
    hung++
    socket.resume().on('error', () => {})
    socket.on('close', () => hanging.delete(socket))
  })
  const silentUrl = await listen(silent)
  t.after(() => {
    for (const socket of hanging) socket.destroy()
    silent.close()
  })
  const well = await startBackend(t)
  const urls = [...Array.from({ length: 300 }, () => silentUrl), ...Array.from({ length: 20 }, () => well.url)]
  const interval = 200
  const options = {
    interval,
    downInterval: interval,
    fastInterval: interval,
    timeout: 1000,
    jitter: 0,
    initial: 'up',
  } as const
  const { balancer, check, starts } = checking(t, urls, options)
  await check.start(0)
  await until('all that hang are vetoed', () => balancer.set.available.length === 20, 20_000)
  const counts = [...starts.values()].map((all) => all.length)
  // Three timeouts of 1 s each: those that answer have been asked some fifteen times by then; if they had been held up,
  // three times.
  assert.deepEqual([counts.length, counts.every((count) => count >= 6)], [20, true], counts.join(' '))
  assert.ok(hung > 0)
  check.stop()
  await until('every connection is closed', () => hanging.size === 0 && well.sockets.size === 0)
})

test('the first round at real backends: one is well, one is not, one has nobody there, one hangs', async (t) => {
  const well = await startBackend(t)
  const busy = await startBackend(t, (_request, response) => response.writeHead(503).end())
  const silent = await startBackend(t, () => {})
  const urls = [well.url, busy.url, await unusedOrigin(), silent.url]
  const { balancer, check } = checking(t, urls, { timeout: 1500 })
  await check.start(0)
  assert.deepEqual(
    balancer.backends.map(({ vetoes }) => vetoes.map(({ reason }) => reason).join()),
    [
      '',
      'first probe failed: status 503 is not expected',
      'first probe failed: connect ECONNREFUSED',
      'first probe failed: no answer within 1500 ms',
    ],
  )
  assert.deepEqual(
    balancer.set.available.map(({ id }) => id),
    ['0'],
  )
  await until('every connection is closed', () => [well, busy, silent].every(({ sockets }) => sockets.size === 0))
})

test('a backend that fails is taken out, and comes back', async (t) => {
  let status = 200
  const { url, sockets } = await startBackend(t, (_request, response) => response.writeHead(status).end())
  const paces = { interval: 20, fastInterval: 5, downInterval: 20 }
  const { balancer, check } = checking(t, [url], { ...paces, initial: 'probe' })
  await check.start(0)
  const backend = balancer.backend('0')
  assert.equal(backend.vetoes.length, 0)
  status = 500
  await until('it is out', () => backend.vetoes.length === 1)
  status = 200
  await until('it is back', () => backend.vetoes.length === 0)
  check.stop()
  await until('every connection is closed', () => sockets.size === 0)
})
