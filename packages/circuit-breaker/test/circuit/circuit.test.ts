import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Circuit } from '../../src/circuit/circuit.ts'
import type { CircuitOptions } from '../../src/circuit/circuit-options.ts'
import { Consecutive } from '../../src/trip/consecutive.ts'
import { openTime } from '../../src/circuit/open-time.ts'
import { Rate } from '../../src/trip/rate.ts'

function standing(options: CircuitOptions = {}) {
  const time = { now: 1000 }
  const changes: string[] = []
  const circuit = new Circuit({
    now: () => time.now,
    random: () => 0.5,
    onChange: (state, before, reason) => void changes.push(`${before} → ${state}: ${reason}`),
    ...options,
  })
  function fail(count: number): void {
    for (let index = 0; index < count; index++) circuit.begin()!.fail()
  }
  /** Opens it, and waits until it is half-open. */
  function halfOpen(): void {
    fail(3)
    time.now = circuit.nextChangeAt!
    assert.equal(circuit.state, 'half-open')
  }
  return { circuit, time, changes, fail, halfOpen }
}

describe('a closed circuit', () => {
  test('admits everything, and waits for nothing', () => {
    const { circuit } = standing()
    assert.deepEqual(
      [circuit.state, circuit.admits(), circuit.openings, circuit.nextChangeAt],
      ['closed', true, 0, undefined],
    )
    for (let index = 0; index < 10; index++) assert.ok(circuit.begin())
    assert.equal(circuit.running, 0)
  })

  test('opens when its rule says so, and says why', () => {
    const { circuit, changes, fail } = standing()
    fail(2)
    assert.equal(circuit.state, 'closed')
    fail(1)
    assert.equal(circuit.state, 'open')
    assert.deepEqual([circuit.since, circuit.openings, circuit.nextChangeAt], [1000, 1, 11_000])
    assert.equal(circuit.reason, '3 failures in a row, at most 10 s apart')
    assert.deepEqual(changes, ['closed → open: 3 failures in a row, at most 10 s apart'])
  })

  test('counts neither what was withdrawn nor what ends a second time', () => {
    const { circuit } = standing()
    for (let index = 0; index < 5; index++) circuit.begin()!.withdraw()
    const call = circuit.begin()!
    call.fail()
    call.fail()
    call.succeed()
    call.withdraw()
    circuit.begin()!.fail()
    assert.equal(circuit.state, 'closed')
    circuit.begin()!.fail()
    assert.equal(circuit.state, 'open')
  })

  test('tells its rule how long a call took: what it is told, or since its time began', () => {
    const told: unknown[] = []
    const trip = { record: (...record: unknown[]) => void told.push(record), reset() {} }
    const { circuit, time } = standing({ trip })
    const [one, two, three] = [circuit.begin()!, circuit.begin()!, circuit.begin(1100)!]
    const [four, five] = [circuit.begin()!, circuit.begin()!]
    four.measureFrom(() => 1200)
    five.measureFrom(() => undefined)
    time.now = 1250
    one.succeed()
    two.fail(7)
    three.succeed(undefined, 1300)
    four.fail()
    five.fail()
    assert.deepEqual(told, [
      [false, 250, 1250],
      [true, 7, 1250],
      [false, 200, 1300],
      [true, 50, 1250],
      [true, 0, 1250],
    ])
  })
})

describe('an open circuit', () => {
  test('admits nothing until its time has come, and is half-open then, whenever somebody looks', () => {
    const { circuit, time, changes, fail } = standing()
    fail(3)
    time.now = 10_999
    assert.deepEqual([circuit.admits(), circuit.begin()], [false, undefined])
    time.now = 60_000
    assert.equal(circuit.state, 'half-open')
    assert.deepEqual([circuit.since, circuit.nextChangeAt], [11_000, undefined])
    assert.equal(changes.at(-1), 'open → half-open: was open for 10 s')
  })

  test('is not moved by calls that began before', () => {
    const { circuit, fail, time } = standing()
    const [good, bad, later] = [circuit.begin()!, circuit.begin()!, circuit.begin()!]
    fail(3)
    good.succeed()
    bad.fail()
    assert.deepEqual([circuit.state, circuit.openings], ['open', 1])
    time.now = 11_000
    later.succeed()
    assert.equal(circuit.state, 'half-open')
  })
})

describe('a half-open circuit', () => {
  test('lets one through, and closes when that went well', () => {
    const { circuit, changes, halfOpen } = standing()
    halfOpen()
    assert.equal(circuit.admits(), true)
    const trial = circuit.begin()!
    assert.equal(trial.isTrial, true)
    assert.deepEqual([circuit.running, circuit.admits(), circuit.begin()], [1, false, undefined])
    trial.succeed()
    assert.deepEqual([circuit.state, circuit.running], ['closed', 0])
    assert.equal(changes.at(-1), 'half-open → closed: a trial succeeded')
  })

  test('asking takes nothing', () => {
    const { circuit, halfOpen } = standing()
    halfOpen()
    for (let index = 0; index < 5; index++) assert.equal(circuit.admits(), true)
    assert.ok(circuit.begin())
  })

  test('opens again, for longer, when it failed', () => {
    const { circuit, changes, halfOpen } = standing()
    halfOpen()
    circuit.begin()!.fail()
    assert.deepEqual([circuit.state, circuit.openings, circuit.nextChangeAt], ['open', 2, 31_000])
    assert.equal(changes.at(-1), 'half-open → open: a trial failed')
  })

  test('gives the slot on when a trial is withdrawn', () => {
    const { circuit, halfOpen } = standing()
    halfOpen()
    circuit.begin()!.withdraw()
    assert.deepEqual([circuit.state, circuit.admits(), circuit.nextChangeAt], ['half-open', true, undefined])
    circuit.begin()!.succeed()
    assert.equal(circuit.state, 'closed')
  })

  test('opens again when a trial takes too long, from the moment when it did', () => {
    const { circuit, time, changes, halfOpen } = standing()
    halfOpen()
    time.now = 12_000
    const trial = circuit.begin()!
    assert.equal(circuit.nextChangeAt, 42_000)
    time.now = 41_999
    assert.equal(circuit.state, 'half-open')
    time.now = 42_500
    assert.equal(circuit.state, 'open')
    assert.deepEqual([circuit.since, circuit.nextChangeAt], [42_000, 62_000])
    assert.equal(changes.at(-1), 'half-open → open: a trial took longer than 30 s')
    trial.succeed()
    assert.equal(circuit.state, 'open')
  })

  test('a trial whose time has not begun when it is overdue gives its slot on, and may still decide', () => {
    for (const [good, state] of [
      [true, 'closed'],
      [false, 'open'],
    ] as const) {
      const { circuit, time, halfOpen } = standing()
      halfOpen()
      const trial = circuit.begin()!
      trial.measureFrom(() => undefined)
      assert.equal(circuit.nextChangeAt, 41_000)
      time.now = 40_999
      assert.deepEqual([circuit.running, circuit.admits()], [1, false])
      time.now = 41_000
      assert.deepEqual([circuit.running, circuit.admits(), circuit.nextChangeAt], [0, true, undefined])
      assert.deepEqual([circuit.state, circuit.openings, circuit.reason], ['half-open', 1, 'was open for 10 s'])
      const next = circuit.begin()!
      assert.deepEqual([circuit.running, circuit.nextChangeAt], [1, 71_000])
      if (good) trial.succeed()
      else trial.fail()
      assert.equal(circuit.state, state)
      next.fail()
      assert.equal(circuit.openings, good ? 1 : 2)
    }
  })

  test('a trial whose time began later is overdue so much later', () => {
    const { circuit, time, changes, halfOpen } = standing({ trials: 2 })
    halfOpen()
    let beganAt: number | undefined
    circuit.begin()!.measureFrom(() => beganAt)
    circuit.begin()!.measureFrom(() => undefined)
    beganAt = time.now + 29_000
    time.now += 30_000
    assert.deepEqual([circuit.state, circuit.running, circuit.nextChangeAt], ['half-open', 1, 70_000])
    time.now = 70_000
    assert.deepEqual([circuit.state, circuit.since], ['open', 70_000])
    assert.equal(changes.at(-1), 'half-open → open: a trial took longer than 30 s')
  })

  test('what is noticed late is judged as it stood when it was due', () => {
    const { circuit, time, halfOpen } = standing()
    halfOpen()
    const trial = circuit.begin()!
    trial.measureFrom(() => 41_001)
    time.now = 50_000
    assert.deepEqual([circuit.state, circuit.running], ['half-open', 0])
  })

  test('a question that fails costs no slot', () => {
    const { circuit, time, halfOpen } = standing()
    halfOpen()
    circuit.begin()!.measureFrom(() => {
      throw new TypeError('who knows')
    })
    time.now += 30_000
    assert.throws(() => circuit.state, { message: 'who knows' })
    assert.deepEqual([circuit.state, circuit.running, circuit.admits()], ['half-open', 0, true])
  })

  test('a trial may take for ever, if that is asked for', () => {
    const { circuit, time, halfOpen } = standing({ trialTimeout: 0 })
    halfOpen()
    const trial = circuit.begin()!
    time.now += 1e9
    assert.deepEqual([circuit.state, circuit.nextChangeAt], ['half-open', undefined])
    trial.succeed()
    assert.equal(circuit.state, 'closed')
  })

  test('several trials: so many at once, so many successes, and one failure is enough', () => {
    const { circuit, time, halfOpen } = standing({ trials: 2, needed: 3 })
    halfOpen()
    const [first, second] = [circuit.begin()!, circuit.begin()!]
    assert.equal(circuit.begin(), undefined)
    first.succeed()
    const third = circuit.begin()!
    assert.equal(circuit.begin(), undefined)
    third.succeed()
    assert.equal(circuit.state, 'half-open')
    second.fail()
    assert.equal(circuit.state, 'open')
    time.now = circuit.nextChangeAt!
    // Those before do not count.
    for (let index = 0; index < 2; index++) circuit.begin()!.succeed()
    assert.equal(circuit.state, 'half-open')
    circuit.begin()!.succeed()
    assert.deepEqual([circuit.state, circuit.reason], ['closed', '3 trials succeeded'])
  })

  test('the oldest of several trials runs out first', () => {
    const { circuit, time, halfOpen } = standing({ trials: 2, needed: 2 })
    halfOpen()
    const first = circuit.begin()!
    time.now += 100
    circuit.begin()
    assert.equal(circuit.nextChangeAt, 41_000)
    first.succeed()
    assert.equal(circuit.nextChangeAt, 41_100)
  })

  test('a trial that is slow has failed, where the rule knows what is slow', () => {
    const rates = { calls: 1, minimumCalls: 1, failureShare: 1, slowShare: 1, slowAfter: 100 }
    const { circuit, time, changes } = standing({ trip: new Rate(rates) })
    circuit.begin()!.succeed(101)
    assert.equal(circuit.state, 'open')
    time.now = circuit.nextChangeAt!
    circuit.begin()!.succeed(101)
    assert.equal(changes.at(-1), 'half-open → open: a trial was slow: 101 ms')
    time.now = circuit.nextChangeAt!
    circuit.begin()!.succeed(100)
    assert.equal(circuit.state, 'closed')
  })

  test('closed again, it counts afresh', () => {
    const { circuit, halfOpen, fail } = standing()
    halfOpen()
    circuit.begin()!.succeed()
    fail(2)
    assert.equal(circuit.state, 'closed')
  })
})

describe('how long it is open', () => {
  const figures = { openFor: 10_000, growth: 2, maxOpenFor: 300_000, jitter: 0.1 }

  test('grows with each opening, up to the longest', () => {
    const times = [1, 2, 3, 4, 5, 6, 7, 2000].map((openings) => openTime(figures, openings, 0.5))
    assert.deepEqual(times, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
  })

  test('is jittered by a share, never over the longest', () => {
    const jittered = (openings: number, draw: number) => Math.round(openTime(figures, openings, draw))
    assert.deepEqual([jittered(1, 0), jittered(1, 0.25), jittered(1, 0.75)], [9000, 9500, 10_500])
    assert.deepEqual([jittered(9, 0), jittered(9, 0.75)], [270_000, 285_000])
  })

  test('is openFor where that is longer than the longest', () => {
    assert.equal(openTime({ ...figures, maxOpenFor: 1 }, 1, 0.5), 10_000)
  })

  test('begins anew once it has been closed for as long as it had been open', () => {
    const { circuit, time, halfOpen, fail } = standing()
    halfOpen()
    circuit.begin()!.succeed()
    time.now += 9999
    assert.equal(circuit.openings, 1)
    fail(3)
    assert.deepEqual([circuit.openings, circuit.nextChangeAt! - time.now], [2, 20_000])
    time.now += 20_000
    circuit.begin()!.succeed()
    time.now += 20_000
    assert.equal(circuit.openings, 0)
    fail(3)
    assert.deepEqual([circuit.openings, circuit.nextChangeAt! - time.now], [1, 10_000])
  })

  test('what was long overdue is made up for in order', () => {
    const { circuit, time, changes, halfOpen } = standing()
    halfOpen()
    circuit.begin()
    time.now += 1e9
    assert.equal(circuit.state, 'half-open')
    assert.deepEqual(changes.slice(2), [
      'half-open → open: a trial took longer than 30 s',
      'open → half-open: was open for 20 s',
    ])
    assert.equal(circuit.since, 11_000 + 30_000 + 20_000)
  })
})

describe('by hand', () => {
  test('isolated while at least one holds it, closed and fresh afterwards', () => {
    const { circuit, changes, fail } = standing()
    fail(2)
    const one = circuit.isolate({ reason: 'under repair' })
    assert.deepEqual([circuit.state, circuit.reason, circuit.begin()], ['isolated', 'under repair', undefined])
    const two = circuit.isolate()
    one.release()
    one.release()
    assert.equal(circuit.state, 'isolated')
    two.release()
    assert.deepEqual([circuit.state, circuit.openings], ['closed', 0])
    fail(2)
    assert.equal(circuit.state, 'closed')
    assert.deepEqual(changes, ['closed → isolated: under repair', 'isolated → closed: released'])
  })

  test('a ttl ends its own hold only', () => {
    const { circuit, time } = standing()
    circuit.isolate({ ttl: 1000 })
    const other = circuit.isolate({ ttl: 3000 })
    assert.equal(circuit.nextChangeAt, 4000)
    time.now = 2000
    assert.deepEqual([circuit.state, circuit.nextChangeAt], ['isolated', 4000])
    time.now = 4000
    assert.equal(circuit.nextChangeAt, 4000)
    circuit.advance()
    assert.deepEqual(
      [circuit.state, circuit.reason, circuit.nextChangeAt],
      ['closed', 'the hold has expired', undefined],
    )
    other.release()
    assert.equal(circuit.state, 'closed')
  })

  test('an open circuit does not become half-open while it is isolated', () => {
    const { circuit, time, fail } = standing()
    fail(3)
    const hold = circuit.isolate()
    assert.equal(circuit.nextChangeAt, undefined)
    time.now += 1e6
    assert.equal(circuit.state, 'isolated')
    hold.release()
    assert.equal(circuit.state, 'closed')
  })

  test('a trial from before the isolation moves nothing', () => {
    const { circuit, halfOpen } = standing()
    halfOpen()
    const trial = circuit.begin()!
    const hold = circuit.isolate()
    trial.fail()
    assert.equal(circuit.state, 'isolated')
    hold.release()
    assert.equal(circuit.state, 'closed')
  })

  test('held closed, it never trips, and counts afresh afterwards', () => {
    const { circuit, changes, fail } = standing()
    fail(3)
    const hold = circuit.hold('closed')
    assert.deepEqual([circuit.state, circuit.reason], ['closed', 'held closed by hand'])
    fail(10)
    const late = circuit.begin()!
    assert.equal(circuit.state, 'closed')
    hold.release()
    late.fail()
    fail(2)
    assert.equal(circuit.state, 'closed')
    fail(1)
    assert.equal(circuit.state, 'open')
    assert.equal(changes.length, 3)
  })

  test('who wants it open goes before who wants it closed', () => {
    const { circuit } = standing()
    const closed = circuit.hold('closed')
    const open = circuit.hold('open')
    assert.equal(circuit.state, 'isolated')
    open.release()
    assert.deepEqual([circuit.state, circuit.reason], ['closed', 'held closed by hand'])
    circuit.hold('open')
    closed.release()
    assert.equal(circuit.state, 'isolated')
    circuit.release()
    assert.equal(circuit.state, 'closed')
  })

  test('the reason and the end are those of the newest that still holds it so', () => {
    const { circuit, changes, time } = standing()
    const said = () => [circuit.reason, circuit.nextChangeAt]
    const alice = circuit.isolate({ reason: 'alice: disk swap', ttl: 60_000 })
    const bob = circuit.isolate({ reason: 'bob: until Monday' })
    assert.deepEqual(said(), ['bob: until Monday', undefined])
    circuit.isolate({ reason: 'carol: a minute', ttl: 1000 })
    // The weaker order changes nothing, however new.
    const dave = circuit.hold('closed', { reason: 'dave: never trip', ttl: 500 })
    assert.deepEqual(said(), ['carol: a minute', 2000])
    const { epoch } = circuit
    time.now = 2000
    assert.deepEqual(said(), ['bob: until Monday', undefined])
    bob.release()
    assert.deepEqual(said(), ['alice: disk swap', 61_000])
    alice.release()
    // That of dave has ended meanwhile, although nobody looked.
    assert.deepEqual([circuit.state, ...said()], ['closed', 'released', undefined])
    dave.release()
    assert.deepEqual([circuit.state, circuit.epoch], ['closed', epoch + 1])
    assert.deepEqual(changes, ['closed → isolated: alice: disk swap', 'isolated → closed: released'])
  })

  test('held closed once more, it tells the newer reason, and counts on', () => {
    const { circuit } = standing()
    const one = circuit.hold('closed', { reason: 'one' })
    const { epoch } = circuit
    const two = circuit.hold('closed', { reason: 'two' })
    assert.deepEqual([circuit.reason, circuit.epoch], ['two', epoch])
    two.release()
    assert.equal(circuit.reason, 'one')
    one.release()
    assert.deepEqual([circuit.state, circuit.reason], ['closed', 'released'])
  })

  test('a ttl that is none is refused', () => {
    const { circuit } = standing()
    for (const ttl of [0, -1, NaN, 'x' as unknown as number]) {
      assert.throws(() => circuit.isolate({ ttl }), { name: 'RangeError', message: 'ttl: expected a number above 0' })
    }
    assert.equal(circuit.state, 'closed')
  })
})

describe('around a promise', () => {
  const unlucky = () => Promise.reject(new Error('bad luck'))

  test('gives back what it gives, and opens when it is rejected too often', async () => {
    const { circuit } = standing()
    assert.equal(await circuit.run(async () => 5), 5)
    assert.equal(await circuit.run(() => 6), 6)
    for (let index = 0; index < 3; index++) await assert.rejects(circuit.run(unlucky), { message: 'bad luck' })
    let called = false
    await assert.rejects(
      circuit.run(() => (called = true)),
      {
        code: 'FST_BALANCER_CIRCUIT_OPEN',
        statusCode: 503,
        message: 'The circuit is open: 3 failures in a row, at most 10 s apart',
      },
    )
    assert.equal(called, false)
  })

  test('a function that throws at once has failed as well', async () => {
    const { circuit } = standing({ trip: new Consecutive({ failures: 1, window: 0 }) })
    await assert.rejects(
      circuit.run(() => {
        throw new Error('at once')
      }),
      { message: 'at once' },
    )
    assert.equal(circuit.state, 'open')
  })

  test('errors that do not count say nothing, and give the slot back', async () => {
    const { circuit, halfOpen } = standing({ counts: (error) => (error as Error).name !== 'AbortError' })
    halfOpen()
    const aborted = Object.assign(new Error('gone'), { name: 'AbortError' })
    await assert.rejects(
      circuit.run(() => Promise.reject(aborted)),
      { name: 'AbortError' },
    )
    assert.deepEqual([circuit.state, circuit.admits()], ['half-open', true])
    await assert.rejects(circuit.run(unlucky))
    assert.equal(circuit.state, 'open')
  })

  test('a judge of errors that throws costs no slot', async () => {
    const { circuit, halfOpen } = standing({
      counts() {
        throw new TypeError('no judge')
      },
    })
    halfOpen()
    await assert.rejects(circuit.run(unlucky), { message: 'no judge' })
    assert.equal(circuit.admits(), true)
  })

  test('without any option it runs on the time of the process', async () => {
    const circuit = new Circuit()
    await circuit.run(async () => {})
    for (let index = 0; index < 3; index++) await assert.rejects(circuit.run(unlucky))
    assert.equal(circuit.state, 'open')
    const wait = circuit.nextChangeAt! - performance.now()
    assert.ok(wait > 0 && wait <= 11_000, String(wait))
  })
})

test('figures with which it might never close again are refused', () => {
  for (const [name, figure] of [
    ['openFor', 0],
    ['openFor', NaN],
    ['growth', 0.5],
    ['trials', 0],
    ['needed', 0],
    ['jitter', -1],
    ['trialTimeout', -1],
    ['maxOpenFor', 0],
    ['openFor', Infinity],
    ['maxOpenFor', Infinity],
    ['growth', Infinity],
    ['needed', Infinity],
    ['jitter', 1.1],
  ] as const) {
    assert.throws(() => new Circuit({ [name]: figure }), { name: 'RangeError', message: new RegExp(`^${name}: `) })
  }
})
