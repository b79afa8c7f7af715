import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'undici'
import { Backend } from '../../src/backends/backend.ts'

const settings = { weight: 2, priority: 1, maxInFlight: 7, zone: 'z', tags: ['x'] }

test('the view holds what is known of it, and nothing that cannot be written down', () => {
  const stats = { connected: 5, free: 2, running: 3, pending: 1, queued: 4, size: 0 }
  const backend = new Backend('a', 'http://a.test:3000', settings, { secret: true, stats } as unknown as Pool)
  backend.vetoes = [
    { by: 'health-check', reason: 'it is down', hard: false, since: 5, evidence: { status: 500 }, lift: () => {} },
    { by: 'test', reason: 'it is odd', hard: false, since: 6, lift: () => {} },
  ]
  backend.warm(0.5)
  backend.inFlight = 1
  backend.requests = 3
  backend.retries = 1
  backend.outcomes.ok = 2
  backend.failed = 1
  backend.responses[2] = 1
  backend.responses[5] = 1
  backend.bytesSent = 10
  backend.bytesReceived = 20
  backend.latency.measure(7, 0)
  const { latency, ...view } = JSON.parse(JSON.stringify(backend)) as Record<string, unknown>
  assert.deepEqual(view, {
    id: 'a',
    url: 'http://a.test:3000',
    protocol: 'http1',
    weight: 2,
    effectiveWeight: 1,
    priority: 1,
    maxInFlight: 7,
    limit: 7,
    zone: 'z',
    tags: ['x'],
    state: 'ready',
    available: false,
    vetoes: [
      { by: 'health-check', reason: 'it is down', hard: false, since: 5, evidence: { status: 500 } },
      { by: 'test', reason: 'it is odd', hard: false, since: 6 },
    ],
    inFlight: 1,
    connections: { open: 5, idle: 2, running: 3, allowed: 5, waiting: 5 },
    tunnels: 0,
    requests: 3,
    retries: 1,
    outcomes: { ok: 2 },
    failed: 1,
    responses: { '1xx': 0, '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 1 },
    bytesSent: 10,
    bytesReceived: 20,
    tunnelBytesSent: 0,
    tunnelBytesReceived: 0,
  })
  assert.deepEqual(latency, { average: 7, buckets: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
})

test('begins with nothing counted and its whole weight', () => {
  const backend = new Backend('a', 'http://a.test', settings, {} as Pool)
  const { inFlight, penalty, requests, bytesSent, bytesReceived, outcomes, vetoes, effectiveWeight } = backend
  assert.deepEqual([inFlight, penalty, requests, bytesSent, bytesReceived], [0, 0, 0, 0, 0])
  assert.deepEqual([outcomes, vetoes, effectiveWeight], [{}, [], 2])
})

test('the host name is that of its address, without brackets', () => {
  for (const [url, hostname] of [
    ['http://a.test:3000', 'a.test'],
    ['https://10.0.0.1', '10.0.0.1'],
    ['http://[::1]:3000', '::1'],
  ] as const) {
    assert.equal(new Backend('a', url, settings, {} as Pool).hostname, hostname)
  }
})

test('the load is what runs and what failed lately', () => {
  const backend = new Backend('a', 'http://a.test', settings, {} as Pool)
  backend.inFlight = 2
  backend.penalty = 3
  assert.equal(backend.load, 5)
})
