import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { ManualClock } from '../../../../test/support/clock.ts'
import { customProbe, type CustomProbe } from '../../src/probe/custom-probe.ts'
import { Probing, type ProbeReport } from '../../src/probe/probing.ts'
import { ask, backendAt } from './asking.ts'

const url = 'http://a.test:3000'

test('it is told which backend, and is good when it resolves, with whatever', async (t) => {
  const asked: unknown[] = []
  const probe: CustomProbe = async (backend) => {
    asked.push(backend)
    return false
  }
  const report = await ask(t, url, { probe })
  assert.deepEqual(asked, [{ id: 'a', url, tags: ['canary'], zone: 'z' }])
  assert.deepEqual([report.good, report.received, report.sent], [true, 'good', `probe of ${url}`])
})

test('what it rejects with, or throws, is why the backend is not well', async (t) => {
  const wrong: [CustomProbe, string][] = [
    [() => Promise.reject(new Error('replica lag 90 s')), 'replica lag 90 s'],
    [
      () => Promise.reject(Object.assign(new Error('x'), { syscall: 'connect', code: 'EHOSTUNREACH' })),
      'connect EHOSTUNREACH',
    ],
    [() => Promise.reject('a word'), 'a word'],
    [() => Promise.reject(undefined), 'undefined'],
    [() => Promise.reject(new Error('')), 'Error'],
    [() => Promise.reject(Object.assign(Object.create(null), { code: 42 })), 'an error that cannot be described'],
    [() => Promise.reject(new Error('x'.repeat(1000))), `${'x'.repeat(200)}…`],
    [
      () => {
        throw new Error('at once')
      },
      'at once',
    ],
  ]
  for (const [probe, why] of wrong) {
    const report = await ask(t, url, { probe })
    assert.deepEqual([report.good, report.received], [false, why])
  }
})

test('one that is no async function counts as resolved', async (t) => {
  assert.equal((await ask(t, url, { probe: (() => 'yes') as unknown as CustomProbe })).good, true)
})

/** A probe under way at a standing clock. */
function begun(own: CustomProbe, backend: ReturnType<typeof backendAt>) {
  const clock = new ManualClock(1000)
  const reports: ProbeReport[] = []
  const probing = new Probing({ clock, pauses: new Pauses(clock), timeout: 2000 }, (report) => reports.push(report))
  probing.start(customProbe(own), backend)
  return { clock, reports, probing }
}

test('one that does not end has its time, is told to stop, and is not heard any more', async (t) => {
  let resolve = () => {}
  let signal: AbortSignal | undefined
  const { clock, reports } = begun(
    (_backend, given) => {
      signal = given
      return new Promise<void>((settle) => (resolve = settle))
    },
    backendAt(t, url),
  )
  clock.advance(1999)
  assert.deepEqual([reports.length, signal!.aborted], [0, false])
  clock.advance(1)
  assert.deepEqual(
    reports.map(({ good, received, timings }) => ({ good, received, timings })),
    [{ good: false, received: 'no answer within 2000 ms', timings: { took: 2000 } }],
  )
  assert.equal(signal!.aborted, true)
  resolve()
  await settled()
  assert.equal(reports.length, 1)
  assert.equal(clock.pending, 0)
})

test('its signal is aborted when it has answered, for what it may have left open', async (t) => {
  let signal: AbortSignal | undefined
  const { clock, reports } = begun(async (_backend, given) => void (signal = given), backendAt(t, url))
  await settled()
  assert.deepEqual([reports.length, signal!.aborted, clock.pending], [1, true, 0])
})

test('a rejection that comes too late ends nothing', async (t) => {
  let reject: (error: Error) => void = () => {}
  const { clock, reports } = begun(() => new Promise((_resolve, settle) => (reject = settle)), backendAt(t, url))
  clock.advance(2000)
  reject(new Error('late'))
  await settled()
  assert.equal(reports[0]!.received, 'no answer within 2000 ms')
})
