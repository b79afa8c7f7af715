import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminLine, listeningLine, probingLine } from '../../src/server/announcement.ts'
import { configured } from './running.ts'

const a = 'http://a'

test('of one balancer, its backends and policy; of several, their names; of many backends, how many', () => {
  const line = (...balancers: Parameters<typeof configured>[0]) => listeningLine(configured(balancers), 'http://h')
  assert.equal(
    line({ backends: [a, { id: 'b', url: 'http://b' }] }),
    'balancing http://a, b at http://h by round-robin',
  )
  assert.equal(line({ backends: [a], policy: 'p2c' }), 'balancing http://a at http://h by p2c')
  assert.equal(line({ name: 'web', backends: [a] }, { backends: [] }), 'balancing web (1), default (0) at http://h')
  assert.equal(
    line({ backends: Array.from({ length: 9 }, () => a) }),
    'balancing 9 backends at http://h by round-robin',
  )
})

test('where the admin API is', () => {
  const configuration = configured([{ backends: [a] }])
  const at = (address: string, admin: typeof configuration.admin) => adminLine({ ...configuration, admin }, address)
  assert.equal(at('http://h:9000', {}), 'admin API at http://h:9000/_balancer')
  assert.equal(at('http://h:9000', { prefix: '/ops' }), 'admin API at http://h:9000/ops')
  assert.equal(at('/run/admin', {}), 'admin API at /run/admin')
})

test('what a start waits for', () => {
  const line = (...balancers: Parameters<typeof configured>[0]) => probingLine(configured(balancers))
  assert.equal(line({ backends: [a], healthCheck: {} }), 'probing 1 backend before listening')
  assert.equal(
    line({ backends: [a], healthCheck: {} }, { backends: [a], healthCheck: { initial: 'probe' } }),
    'probing 2 backends before listening',
  )
  assert.equal(line({ backends: [a], healthCheck: false }), undefined)
  assert.equal(line({ backends: [a], healthCheck: { type: 'none' } }), undefined)
  assert.equal(line({ backends: [a], healthCheck: { initial: 'up' } }), undefined)
  assert.equal(line({ backends: [], healthCheck: {} }), undefined)
})
