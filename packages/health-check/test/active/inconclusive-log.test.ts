import type { Backend } from '@fastify-balancer/balancer-core'
import type { FastifyBaseLogger } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/support/clock.ts'
import { InconclusiveLog } from '../../src/active/inconclusive-log.ts'
import type { ProbeReport } from '../../src/probe/probing.ts'

test('the log says once why probes say nothing, and again when that was over for a minute', () => {
  const clock = new ManualClock(0)
  const lines: unknown[][] = []
  const logger = { warn: (...line: unknown[]) => lines.push(line) } as unknown as FastifyBaseLogger
  const log = new InconclusiveLog(clock, logger)
  const report = { sent: 'HEAD http://a.test/', received: 'connect EMFILE' } as ProbeReport
  const add = (why: 'out-of-sockets' | 'pause') => log.add('api', { id: 'a' } as Backend, why, report)
  for (let count = 0; count < 100; count++) {
    add('out-of-sockets')
    clock.advance(10_000)
  }
  assert.deepEqual(lines, [
    [
      { balancer: 'api', backend: 'a', ...report },
      'this process is out of sockets: probes could not be sent and do not count; backends keep their state',
    ],
  ])
  add('pause')
  assert.equal(lines.length, 2, 'another reason is news')
  clock.advance(60_000)
  add('out-of-sockets')
  assert.equal(lines.length, 3)
})
