import { Balancer, type Backend, type BalancerOptions } from '@fastify-balancer/balancer-core'
import { Pauses } from '@fastify-balancer/option-schema'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { ManualClock } from '../../../../test/support/clock.ts'
import { until } from '../../../../test/support/until.ts'
import { ActiveCheck } from '../../src/active/active-check.ts'
import type { GivenActiveOptions } from '../../src/active/active-options.ts'
import type { Probing } from '../../src/probe/probing.ts'
import type { Judgement } from '../../src/judgement/judgement.ts'
import { optionsOf } from '../probe/asking.ts'

const listed = ['a', 'b', 'c'].map((id) => ({ id, url: `http://${id}.test` }))

/** An active check of a real balancer, whose probes answer as the test says, at a standing clock. */
function checking(t: TestContext, given: GivenActiveOptions = {}, options: BalancerOptions = {}) {
  const clock = new ManualClock(1000)
  const balancer = new Balancer({ backends: listed, clock, random: () => 0.5, ...options })
  /** Backends that are not well: what they answer. `hangs`: nothing. */
  const ill = new Map<string, string>()
  const asked: string[] = []
  const underWay = new Map<string, Probing>()
  const judgements: { id: string; judgement: Judgement }[] = []
  const goodProbes: string[] = []
  const check = new ActiveCheck(
    balancer,
    optionsOf({ jitter: 0, ...given }),
    ({ id }, judgement) => judgements.push({ id, judgement }),
    ({ id }, { good }, changed) => good && goodProbes.push(changed ? `${id}!` : id),
    new Pauses(clock),
    ({ id }, probing) => {
      asked.push(id)
      probing.sent = `HEAD http://${id}.test/`
      const answer = ill.get(id)
      if (answer === 'hangs') underWay.set(id, probing)
      else if (answer === undefined) probing.good('HTTP 200')
      else probing.bad(answer)
    },
  )
  balancer.addHook('onBackendsPropose', (candidates) => check.judgeNewcomers(candidates))
  balancer.addHook('onBackendsChange', (now) => check.backendsChanged(now))
  t.after(async () => {
    check.stop()
    await balancer.close()
  })
  /** The reasons of all vetoes, by backend. */
  function vetoes(): Record<string, string> {
    const vetoed = balancer.backends.filter((backend) => backend.vetoes.length > 0)
    return Object.fromEntries(vetoed.map(({ id, vetoes: all }) => [id, all.map(({ reason }) => reason).join(' + ')]))
  }
  const states = () => balancer.backends.map((backend) => check.of(backend).state).join(' ')
  const rules = () => judgements.map(({ id, judgement: { good, rule } }) => `${id} ${good ? 'good' : 'bad'}: ${rule}`)
  return { balancer, check, clock, ill, asked, underWay, judgements, goodProbes, vetoes, states, rules }
}

describe('the first round', () => {
  test('asks every backend once, and takes out those that are not well', async (t) => {
    const { balancer, check, clock, ill, asked, vetoes, states, rules, judgements, goodProbes } = checking(t)
    ill.set('b', 'connect ECONNREFUSED')
    assert.equal(states(), 'unknown unknown unknown')
    await check.start(0)
    assert.deepEqual(asked, ['a', 'b', 'c'])
    assert.equal(states(), 'up down up')
    assert.deepEqual(vetoes(), { b: 'first probe failed: connect ECONNREFUSED' })
    assert.deepEqual(rules(), ['b bad: first probe failed: connect ECONNREFUSED'])
    assert.deepEqual(goodProbes, ['a', 'c'])
    const [veto] = balancer.backend('b').vetoes
    assert.deepEqual([veto!.by, veto!.hard], ['health-check', false])
    assert.deepEqual(veto!.evidence, [check.of(balancer.backend('b')).lastProbe])
    const { judgement } = judgements[0]!
    assert.deepEqual([judgement.by, judgement.evidence], ['health-check', veto!.evidence])
    assert.ok(Math.abs(judgement.at - Date.now()) < 60_000)
    assert.equal(clock.pending, 3)
  })

  test('waits for all of them, without a limit', async (t) => {
    const { check, clock, ill, vetoes } = checking(t)
    ill.set('b', 'hangs')
    let begun = false
    const round = check.start(0).then(() => (begun = true))
    clock.advance(1999)
    await settled()
    assert.deepEqual([begun, vetoes()], [false, {}])
    clock.advance(1)
    await round
    assert.deepEqual(vetoes(), { b: 'first probe failed: no answer within 2000 ms' })
  })

  test('waits no longer than the limit; who has not answered by then is not used until it has', async (t) => {
    const { check, clock, ill, underWay, vetoes, rules, states } = checking(t)
    ill.set('b', 'hangs').set('c', 'hangs')
    const round = check.start(500)
    clock.advance(500)
    await round
    assert.equal(states(), 'up unknown unknown')
    assert.deepEqual(vetoes(), { b: 'not probed yet', c: 'not probed yet' })
    underWay.get('b')!.good('HTTP 200')
    assert.deepEqual(vetoes(), { c: 'not probed yet' })
    clock.advance(1500)
    assert.deepEqual(vetoes(), { c: 'first probe failed: no answer within 2000 ms' })
    assert.deepEqual(rules(), [
      'b bad: not probed yet',
      'c bad: not probed yet',
      'b good: first probe succeeded: HTTP 200',
      'c bad: first probe failed: no answer within 2000 ms',
    ])
  })

  test('the limit leaves no timer behind', async (t) => {
    const { check, clock } = checking(t)
    await check.start(60_000)
    assert.equal(clock.pending, 3, 'one for each backend')
  })

  test('asks 256 at once, and goes on beyond the limit', async (t) => {
    const backends = Array.from({ length: 600 }, (_, index) => ({ id: `x${index}`, url: `http://x${index}.test` }))
    const { check, clock, ill, asked, vetoes } = checking(t, {}, { backends })
    for (const { id } of backends) ill.set(id, 'hangs')
    const round = check.start(3000)
    assert.equal(asked.length, 256)
    clock.advance(2000)
    assert.equal(asked.length, 512)
    clock.advance(1000)
    await round
    assert.equal(Object.keys(vetoes()).length, 600)
    assert.equal(vetoes()['x511'], 'not probed yet')
    clock.advance(1000)
    assert.ok(asked.includes('x599'))
    clock.advance(2000)
    assert.equal(vetoes()['x599'], 'first probe failed: no answer within 2000 ms')
  })

  test('is not held up by a backend that leaves', async (t) => {
    const { balancer, check, ill } = checking(t)
    ill.set('b', 'hangs')
    const round = check.start(0)
    await balancer.remove('b')
    await round
  })

  test('is not held up by the end', async (t) => {
    const { check, clock, ill, vetoes } = checking(t)
    for (const id of ['a', 'b', 'c']) ill.set(id, 'hangs')
    const round = check.start(60_000)
    check.stop()
    await round
    assert.deepEqual([vetoes(), clock.pending], [{}, 0])
  })
})

describe('initial', () => {
  test("'up' asks nobody first, and takes `fall` failures", async (t) => {
    const { check, clock, ill, asked, vetoes, states } = checking(t, { initial: 'up' })
    ill.set('a', 'status 503 is not expected')
    await check.start(0)
    assert.deepEqual([asked.length, states()], [0, 'up up up'])
    clock.advance(2500 + 1999)
    assert.deepEqual(vetoes(), {})
    clock.advance(1)
    assert.deepEqual(vetoes(), { a: '3 probes in a row failed: status 503 is not expected' })
  })

  test("'down' uses nobody until one good probe, and says why when it knows", async (t) => {
    const { check, clock, ill, asked, vetoes, rules } = checking(t, { initial: 'down' })
    ill.set('a', 'connect ECONNREFUSED')
    await check.start(0)
    assert.equal(asked.length, 0)
    assert.deepEqual(vetoes(), { a: 'not probed yet', b: 'not probed yet', c: 'not probed yet' })
    clock.advance(2500)
    assert.deepEqual(vetoes(), { a: 'first probe failed: connect ECONNREFUSED' })
    clock.advance(5000)
    assert.equal(rules().length, 3 + 3, 'and says it once')
    ill.delete('a')
    clock.advance(5000)
    assert.deepEqual(vetoes(), {})
  })
})

describe('afterwards', () => {
  for (const [interval, fast] of [
    [200, 200],
    [998, 998],
    [5000, 1000],
  ] as const) {
    test(`while a verdict is changing, probes come no more slowly than before: ${interval} ms`, async (t) => {
      const { balancer, check, clock, ill, vetoes } = checking(t, { interval }, { backends: [listed[0]!] })
      await check.start(0)
      ill.set('a', 'status 500 is not expected')
      clock.advance(interval / 2)
      assert.equal(check.of(balancer.backend('a')).consecutive, 1)
      clock.advance(2 * fast - 1)
      assert.deepEqual(vetoes(), {})
      clock.advance(1)
      assert.deepEqual(Object.keys(vetoes()), ['a'])
    })
  }

  test('`fall` failures take a backend out, at the fast pace, and `rise` good ones bring it back', async (t) => {
    const { balancer, check, clock, ill, asked, vetoes, judgements, rules, goodProbes } = checking(
      t,
      { interval: 10_000, fastInterval: 1000, downInterval: 4000 },
      { backends: [listed[0]!] },
    )
    await check.start(0)
    ill.set('a', 'status 500 is not expected')
    clock.advance(5000)
    assert.equal(check.of(balancer.backend('a')).consecutive, 1)
    ill.set('a', 'no answer within 2000 ms')
    clock.advance(1000)
    assert.deepEqual(vetoes(), {})
    clock.advance(1000)
    const reason = '3 probes in a row failed: status 500 is not expected; no answer within 2000 ms'
    assert.deepEqual(vetoes(), { a: reason })
    const evidence = judgements[0]!.judgement.evidence as { received: string }[]
    assert.deepEqual(
      evidence.map(({ received }) => received),
      ['status 500 is not expected', 'no answer within 2000 ms', 'no answer within 2000 ms'],
    )
    assert.equal(asked.length, 4)
    clock.advance(3999)
    assert.equal(asked.length, 4, 'down, it is asked at its own pace')
    clock.advance(1)
    assert.equal(asked.length, 5)
    ill.delete('a')
    goodProbes.length = 0
    clock.advance(4000)
    assert.deepEqual([vetoes(), goodProbes], [{ a: reason }, ['a']])
    clock.advance(1000)
    assert.deepEqual([vetoes(), goodProbes], [{}, ['a', 'a!']])
    assert.deepEqual(rules(), [`a bad: ${reason}`, 'a good: 2 probes in a row succeeded: HTTP 200'])
    assert.equal((judgements[1]!.judgement.evidence as unknown[]).length, 2)
    clock.advance(9999)
    assert.equal(asked.length, 7)
    clock.advance(1)
    assert.equal(asked.length, 8)
  })

  test('a veto that somebody else has lifted is laid again with the next bad probe', async (t) => {
    const { balancer, check, clock, ill, vetoes, states, rules } = checking(t)
    ill.set('a', 'connect ECONNREFUSED')
    await check.start(0)
    const again = 'its veto was lifted by other code, but a probe failed: connect ECONNREFUSED'
    // Twice: a second veto that says the same must be laid too.
    for (let times = 1; times <= 2; times++) {
      balancer.backend('a').vetoes[0]!.lift()
      clock.advance(times === 1 ? 2499 : 4999)
      assert.deepEqual([vetoes(), states()], [{}, 'down up up'])
      clock.advance(1)
      assert.deepEqual(vetoes(), { a: again })
    }
    clock.advance(5000)
    const [veto, ...others] = balancer.backend('a').vetoes
    assert.deepEqual([veto!.by, veto!.hard, others], ['health-check', false, []])
    assert.deepEqual(
      (veto!.evidence as { received: string }[]).map(({ received }) => received),
      ['connect ECONNREFUSED'],
    )
    assert.deepEqual(rules(), ['a bad: first probe failed: connect ECONNREFUSED', `a bad: ${again}`, `a bad: ${again}`])
    ill.delete('a')
    clock.advance(5000)
    assert.deepEqual([vetoes(), states()], [{}, 'up up up'])
    assert.equal(rules().at(-1), 'a good: 1 probe succeeded: HTTP 200')
  })

  test('good probes that are too few yet lay none again', async (t) => {
    const { balancer, check, clock, ill, vetoes, states } = checking(t)
    await check.start(0)
    ill.set('a', 'connect ECONNREFUSED')
    clock.advance(2500 + 2000)
    assert.equal(states(), 'down up up')
    balancer.backend('a').vetoes[0]!.lift()
    ill.delete('a')
    clock.advance(5000)
    assert.deepEqual([vetoes(), states()], [{}, 'down up up'])
    ill.set('a', 'status 500 is not expected')
    clock.advance(1000)
    assert.deepEqual(vetoes(), {
      a: 'its veto was lifted by other code, but a probe failed: status 500 is not expected',
    })
  })

  test("nobody else's veto is touched", async (t) => {
    const { balancer, check, clock, ill, vetoes } = checking(t)
    ill.set('a', 'connect ECONNREFUSED')
    await check.start(0)
    balancer.veto(balancer.backend('a'), { by: 'operator', reason: 'mine' })
    ill.delete('a')
    clock.advance(10_000)
    assert.deepEqual(vetoes(), { a: 'mine' })
  })

  test('all at once is one veto each, and panic uses them all', async (t) => {
    const { balancer, check, clock, ill, vetoes } = checking(t)
    await check.start(0)
    for (const id of ['a', 'b', 'c']) ill.set(id, 'connect ENETUNREACH')
    clock.advance(20_000)
    assert.equal(Object.keys(vetoes()).length, 3)
    assert.ok(balancer.backends.every((backend) => backend.vetoes.length === 1))
    assert.deepEqual([balancer.set.panicking, balancer.set.available.length], [true, 3])
  })

  test('one that hangs delays no other', async (t) => {
    const { check, clock, ill, asked } = checking(t, { timeout: 60_000 })
    await check.start(0)
    asked.length = 0
    ill.set('a', 'hangs')
    clock.advance(22_500)
    assert.equal(asked.filter((id) => id === 'a').length, 1)
    assert.deepEqual(
      ['b', 'c'].map((id) => asked.filter((one) => one === id).length),
      [5, 5],
    )
  })
})

describe('a newcomer', () => {
  test('that is well enters at once, and is then asked like the others', async (t) => {
    const { balancer, check, clock, asked, vetoes, states } = checking(t)
    await check.start(0)
    asked.length = 0
    await balancer.add({ id: 'd', url: 'http://d.test' })
    assert.deepEqual([asked, vetoes(), states()], [['d'], {}, 'up up up up'])
    clock.advance(2500 + 5000)
    assert.equal(asked.filter((id) => id === 'd').length, 3)
  })

  test('that is not well enters, vetoed from the first moment, and is used after one good probe', async (t) => {
    const { balancer, check, clock, ill, vetoes, rules, goodProbes } = checking(t)
    await check.start(0)
    ill.set('d', 'connect ECONNREFUSED')
    const available: number[] = []
    balancer.addHook('onBackendsChange', (now) => void available.push(now.available.length))
    await balancer.add({ id: 'd', url: 'http://d.test' })
    assert.deepEqual(available, [3])
    const reason = 'first probe failed: connect ECONNREFUSED'
    assert.deepEqual(vetoes(), { d: reason })
    assert.equal(balancer.backend('d').vetoes[0]!.since > 0, true)
    assert.deepEqual(rules(), [`d bad: ${reason}`])
    ill.delete('d')
    goodProbes.length = 0
    clock.advance(2500)
    assert.deepEqual(vetoes(), {})
    assert.deepEqual(
      goodProbes.filter((id) => id.startsWith('d')),
      ['d!'],
    )
    assert.deepEqual(rules(), [`d bad: ${reason}`, 'd good: 1 probe succeeded: HTTP 200'])
  })

  test('is waited for', async (t) => {
    const { balancer, check, clock, ill } = checking(t)
    await check.start(0)
    ill.set('d', 'hangs')
    const change = balancer.add({ id: 'd', url: 'http://d.test' })
    await settled()
    assert.equal(balancer.backends.length, 3)
    clock.advance(2000)
    await change
    assert.equal(balancer.backends.length, 4)
  })

  test("is not asked with 'always', but soon afterwards", async (t) => {
    const { balancer, check, clock, ill, asked, vetoes, states } = checking(t, { admit: 'always' })
    await check.start(0)
    asked.length = 0
    ill.set('d', 'connect ECONNREFUSED')
    await balancer.add({ id: 'd', url: 'http://d.test' })
    assert.deepEqual([asked, vetoes(), states()], [[], {}, 'up up up unknown'])
    clock.advance(500)
    assert.deepEqual([asked, vetoes()], [['d'], { d: 'first probe failed: connect ECONNREFUSED' }])
  })

  test("that is not well refuses the whole change with 'all-or-nothing', and leaves no trace", async (t) => {
    const { balancer, check, clock, ill, asked, rules } = checking(t, { admit: 'all-or-nothing' })
    await check.start(0)
    ill.set('d', 'connect ECONNREFUSED')
    const { revision } = balancer.set
    const wanted = [...listed, { id: 'd', url: 'http://d.test' }, { id: 'e', url: 'http://e.test' }]
    await assert.rejects(balancer.setBackends(wanted), /d: HEAD http:\/\/d\.test\/: connect ECONNREFUSED/)
    assert.deepEqual([balancer.set.revision, balancer.backends.length], [revision, 3])
    asked.length = 0
    clock.advance(20_000)
    assert.ok(asked.every((id) => 'abc'.includes(id)))
    assert.deepEqual([rules(), clock.pending], [[], 3])
    ill.delete('d')
    await balancer.setBackends(wanted)
    assert.equal(balancer.set.available.length, 5)
  })

  test('before the start is asked again at the start', async (t) => {
    const { balancer, check, ill, asked, vetoes, states } = checking(t)
    ill.set('d', 'connect ECONNREFUSED')
    await balancer.add({ id: 'd', url: 'http://d.test' })
    assert.deepEqual(vetoes(), { d: 'first probe failed: connect ECONNREFUSED' })
    ill.delete('d')
    await check.start(0)
    assert.deepEqual([asked, vetoes(), states()], [['d', 'a', 'b', 'c', 'd'], {}, 'up up up up'])
  })

  test('with hundreds of others: 256 are asked at once', async (t) => {
    const { balancer, check, ill, asked } = checking(t)
    await check.start(0)
    asked.length = 0
    const wanted = Array.from({ length: 600 }, (_, index) => ({ id: `x${index}`, url: `http://x${index}.test` }))
    for (const { id } of wanted) ill.set(id, 'hangs')
    void balancer.setBackends(wanted).catch(() => {})
    await until('as many as may be have been asked', () => asked.length >= 256)
    await settled()
    assert.equal(asked.length, 256)
  })
})

describe('a backend that leaves', () => {
  test('is not asked any more; what is under way is taken back', async (t) => {
    const { balancer, check, clock, ill, asked, underWay, judgements } = checking(t)
    await check.start(0)
    ill.set('b', 'hangs')
    clock.advance(2500)
    let closed = 0
    underWay.get('b')!.closeBy(() => closed++)
    await balancer.remove('b')
    assert.equal(closed, 1)
    asked.length = 0
    clock.advance(20_000)
    assert.ok(!asked.includes('b'))
    assert.deepEqual([judgements, clock.pending], [[], 2])
  })

  test('and comes back under its name is another', async (t) => {
    const { balancer, check, clock, ill, states } = checking(t)
    ill.set('b', 'connect ECONNREFUSED')
    await check.start(0)
    ill.delete('b')
    await balancer.setBackends([listed[0]!, { id: 'b', url: 'http://b2.test' }])
    assert.deepEqual([states(), balancer.set.available.length, clock.pending], ['up up', 2, 2])
  })

  test('one whose settings change goes on', async (t) => {
    const { balancer, check, clock, asked } = checking(t)
    await check.start(0)
    clock.advance(2000)
    asked.length = 0
    await balancer.update('a', { weight: 5 })
    clock.advance(500)
    assert.deepEqual(asked, ['a', 'b', 'c'])
    assert.equal(clock.pending, 3)
  })
})

describe('on demand', () => {
  test('one is asked at once, and it counts', async (t) => {
    const { check, clock, ill, asked, vetoes } = checking(t)
    await check.start(0)
    ill.set('a', 'connect ECONNREFUSED')
    for (let probe = 0; probe < 2; probe++) assert.equal((await check.probeNow('a')).good, false)
    assert.deepEqual(vetoes(), {})
    const report = await check.probeNow('a')
    assert.deepEqual(
      [report.good, report.sent, report.received],
      [false, 'HEAD http://a.test/', 'connect ECONNREFUSED'],
    )
    assert.equal(Object.keys(vetoes()).length, 1)
    assert.equal(asked.length, 6)
    assert.equal(clock.pending, 3)
  })

  test('the one that is under way is waited for', async (t) => {
    const { check, clock, ill, asked, underWay } = checking(t)
    await check.start(0)
    ill.set('a', 'hangs')
    clock.advance(2500)
    const both = Promise.all([check.probeNow('a'), check.probeNow('a')])
    await settled()
    underWay.get('a')!.good('HTTP 204')
    const [first, second] = await both
    assert.equal(first, second)
    assert.equal(first.received, 'HTTP 204')
    assert.equal(asked.filter((id) => id === 'a').length, 2)
  })

  test('before the start too', async (t) => {
    const { check, clock, ill, vetoes } = checking(t)
    ill.set('a', 'connect ECONNREFUSED')
    await check.probeNow('a')
    assert.deepEqual(Object.keys(vetoes()), ['a'])
    assert.equal(clock.pending, 0)
  })

  test('an unknown backend is an error', async (t) => {
    const { check } = checking(t)
    await assert.rejects(check.probeNow('x'), { code: 'FST_BALANCER_UNKNOWN_BACKEND' })
  })
})

describe('the end', () => {
  test('leaves nothing pending, and nothing begins again', async (t) => {
    const { balancer, check, clock, ill, asked, underWay } = checking(t)
    await check.start(0)
    ill.set('a', 'hangs').set('d', 'hangs')
    clock.advance(2500)
    const change = balancer.add({ id: 'd', url: 'http://d.test' })
    await settled()
    assert.equal(underWay.size, 2)
    const waiting = check.probeNow('a')
    check.stop()
    assert.equal((await waiting).good, false)
    await change
    assert.equal(clock.pending, 0)
    asked.length = 0
    await check.start(0)
    await balancer.add({ id: 'e', url: 'http://e.test' })
    assert.equal((await check.probeNow('b')).received, 'not probed: the health check has stopped')
    clock.advance(60_000)
    assert.deepEqual([asked, clock.pending], [[], 0])
  })
})

test('a thousand that fail in one tick are vetoed within moments', async (t) => {
  const backends = Array.from({ length: 1000 }, (_, index) => ({ id: `x${index}`, url: `http://x${index}.test` }))
  const { balancer, check, ill } = checking(t, {}, { backends })
  for (const { id } of backends) ill.set(id, 'connect ENETUNREACH')
  await check.start(0)
  assert.ok(balancer.backends.every((backend: Backend) => backend.vetoes.length === 1))
})

describe('a probe that says nothing, for this process has no socket', () => {
  const emfile = Object.assign(new Error('connect EMFILE'), { syscall: 'connect', code: 'EMFILE' })

  test('changes nothing, counts in no row, and is asked again soon', async (t) => {
    const { balancer, check, clock, ill, asked, underWay, vetoes, states, rules } = checking(t)
    await check.start(0)
    ill.set('a', 'connect ECONNREFUSED')
    clock.advance(2500 + 1000)
    assert.equal(check.of(balancer.backend('a')).consecutive, 2)
    ill.set('a', 'hangs')
    for (let count = 0; count < 5; count++) {
      asked.length = 0
      clock.advance(1000)
      assert.deepEqual(
        asked.filter((id) => id === 'a'),
        ['a'],
      )
      underWay.get('a')!.failed(emfile)
    }
    assert.deepEqual([vetoes(), states(), rules()], [{}, 'up up up', []])
    assert.equal(check.of(balancer.backend('a')).lastProbe?.received, 'connect ECONNREFUSED')
    ill.set('a', 'connect ECONNREFUSED')
    clock.advance(1000)
    assert.equal(states(), 'down up up', 'the row goes on')
  })

  test('is not what the start waits for', async (t) => {
    const { check, clock, ill, underWay, vetoes, states } = checking(t)
    ill.set('a', 'hangs')
    let started = false
    const start = check.start(8000).then(() => (started = true))
    underWay.get('a')!.failed(emfile)
    await settled()
    assert.equal(started, false)
    ill.delete('a')
    clock.advance(1000)
    await start
    assert.deepEqual([vetoes(), states()], [{}, 'up up up'])
  })

  test('does not keep the start waiting when the check stops, or the backend leaves', async (t) => {
    for (const end of ['stop', 'leave']) {
      const { balancer, check, ill, underWay } = checking(t)
      ill.set('a', 'hangs')
      const start = check.start(0)
      underWay.get('a')!.failed(emfile)
      if (end === 'stop') check.stop()
      else await balancer.remove('a')
      await start
    }
  })

  test('of a newcomer: it is not used until it has been asked', async (t) => {
    const { balancer, check, clock, ill, underWay, vetoes, states } = checking(t)
    await check.start(0)
    ill.set('d', 'hangs')
    const added = balancer.add({ id: 'd', url: 'http://d.test' })
    await settled()
    underWay.get('d')!.failed(emfile)
    await added
    assert.deepEqual([vetoes(), states()], [{ d: 'not probed yet' }, 'up up up unknown'])
    ill.delete('d')
    clock.advance(1000)
    assert.deepEqual([vetoes(), states()], [{}, 'up up up up'])
  })

  test('is told whoever has asked for it', async (t) => {
    const { check, ill, underWay } = checking(t)
    await check.start(0)
    ill.set('a', 'hangs')
    const asked = check.probeNow('a')
    underWay.get('a')!.failed(emfile)
    const { good, inconclusive, received } = await asked
    assert.deepEqual(
      [good, inconclusive, received],
      [false, 'out-of-sockets', 'connect EMFILE: this process is out of sockets'],
    )
  })
})

test('a failed attempt makes the next probes come soon, but not of one that is known to be down', async (t) => {
  const { balancer, check, clock, ill, asked, states } = checking(t)
  await check.start(0)
  ill.set('b', 'connect ECONNREFUSED')
  clock.advance(2500 + 2000)
  assert.equal(states(), 'up down up')
  asked.length = 0
  for (const backend of balancer.backends.slice(0, 2)) check.suspect(backend)
  clock.advance(1000)
  assert.deepEqual(asked, ['a', 'a'])
})
