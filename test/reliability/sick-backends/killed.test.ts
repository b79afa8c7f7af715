import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../support/ask.ts'
import { startRawBackend } from '../../support/backend.ts'
import { startFourProcesses } from './backend-process.ts'
import { startChecked, usedAgain, vetoed } from './checked-app.ts'
import { startMoodyBackend } from './moody-backend.ts'

test('a backend killed under load is left alone at once, costs no GET, and is used again when it is back', async (t) => {
  const backends = await startFourProcesses(t)
  const { balancer, url, load } = await startChecked(t, {
    backends,
    healthCheck: { interval: 2000, fastInterval: 200, downInterval: 200, timeout: 1000 },
    circuitBreaker: { openFor: 300, maxOpenFor: 600 },
  })
  const victim = balancer.backend('a')
  load.begin(url)
  await load.more(200)

  const asked = victim.requests
  const [took] = await Promise.all([vetoed(victim, 5000), backends[0]!.kill()])
  const by = victim.vetoes.map((veto) => veto.by)
  const spent = victim.requests - asked
  // The traffic has told, before the probes could.
  assert.ok(!by.includes('health-check'), `by ${by.join(' and ')}`)
  await load.more(300)
  // Each opening of the circuit may cost one trial, which is sent elsewhere when it fails.
  assert.ok(victim.requests - asked < 40, `${victim.requests - asked} of more than 300 GETs were tried there`)

  await backends[0]!.restart()
  const back = await usedAgain(victim)
  await load.end()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(
    balancer.backends.map(({ vetoes }) => vetoes.length),
    [0, 0, 0, 0],
  )
  assert.equal(balancer.exchanges, 0)
  t.diagnostic(
    `detected after ${took.toFixed(0)} ms and ${spent} attempts, by ${by.join(' and ')}; ` +
      `0 of ${load.samples.length} GETs failed; used again ${back.toFixed(0)} ms after the restart`,
  )
})

// While the kernel takes down a process, its connections are reset, and new ones are accepted a little longer.
test('a GET goes elsewhere when a kept connection is reset, and so is the new one to the same backend', async (t) => {
  let dying = false
  const id = 'dying'
  const dyingUrl = await startRawBackend(t, (socket) => {
    socket.on('data', (head: Buffer) => {
      if (dying && !head.toString().startsWith('HEAD')) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    })
  })
  const well = await startMoodyBackend(t, 'well')
  const { balancer, url } = await startChecked(t, { backends: [{ id, url: dyingUrl }, well] })
  for (let count = 0; count < 2; count++) assert.equal((await ask(url)).status, 200)
  assert.equal(balancer.backend(id).requests, 1)
  dying = true
  const statuses = []
  for (let count = 0; count < 2; count++) statuses.push((await ask(url)).status)
  assert.equal(balancer.backend(id).outcomes['stale-connection'], 1)
  assert.deepEqual(statuses, [200, 200])
})
