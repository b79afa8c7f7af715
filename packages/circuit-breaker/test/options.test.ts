import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { shownKind } from '@fastify-balancer/option-schema'
import { faultsOfOptions, parseOptions, type CircuitBreakerOptions } from '../src/options.ts'

/** Options that a program without types could pass as well. */
function parse(options: unknown) {
  return parseOptions(options as CircuitBreakerOptions)
}

/** Which places are at fault, sorted. */
function placesIn(options: unknown): string[] {
  const faults = faultsOfOptions(options as CircuitBreakerOptions)
  if (faults.length > 0) {
    assert.throws(() => parse(options), {
      code: 'FST_BALANCER_CIRCUIT_BAD_OPTIONS',
      statusCode: 500,
      message: `Bad circuit breaker options: ${faults.join('; ')}`,
    })
  } else parse(options)
  return faults.map((fault) => fault.split(': ')[0]!).sort()
}

const defaults = {
  failures: 3,
  window: 10_000,
  rate: false,
  statuses: [502, 503, 504],
  openFor: 10_000,
  growth: 2,
  maxOpenFor: 300_000,
  jitter: 0.1,
  trials: 1,
  needed: 1,
  trialTimeout: 30_000,
}
const rates = { calls: 100, minimumCalls: 20, failureShare: 0.5, slowShare: 1, slowAfter: 0 }

describe('defaults', () => {
  test('are these', () => {
    for (const given of [{}, undefined]) {
      const { balancer, settings, backends } = parse(given)
      assert.deepEqual([balancer, settings, backends.size], [undefined, defaults, 0])
    }
  })

  test('fill a rate that is given in part', () => {
    assert.deepEqual(parse({ rate: {} }).settings.rate, rates)
    assert.deepEqual(parse({ rate: { time: 30_000, failureShare: 0.2 } }).settings.rate, {
      ...rates,
      time: 30_000,
      failureShare: 0.2,
    })
  })

  test('are not written into what was given', () => {
    const given = Object.freeze({ rate: Object.freeze({}), backends: Object.freeze({ a: Object.freeze({}) }) })
    parse(given)
    assert.deepEqual(given, { rate: {}, backends: { a: {} } })
  })
})

describe('what is otherwise for a backend', () => {
  test('goes over what is given for all, and that over the defaults', () => {
    const { backends, settings } = parse({
      failures: 5,
      rate: { time: 1000 },
      backends: { a: { openFor: 1 }, b: false, c: { rate: false, failures: 1 }, d: { rate: { calls: 7 } } },
    })
    assert.deepEqual(backends.get('a'), { ...settings, openFor: 1 })
    assert.equal(settings.failures, 5)
    assert.equal(backends.get('b'), false)
    assert.deepEqual(backends.get('c'), { ...settings, rate: false, failures: 1 })
    assert.deepEqual(backends.get('d')!, { ...settings, rate: { ...rates, calls: 7 } })
  })
})

describe('faults', () => {
  test('there are none where all is well', () => {
    const all = { ...defaults, balancer: 'api', backends: { 'http://10.0.0.1:3000': defaults } }
    assert.deepEqual(placesIn(all), [])
    assert.deepEqual(placesIn({ openFor: 2_147_483_647, rate: { time: 10 }, trials: 1e10, needed: 1e10 }), [])
    assert.deepEqual(placesIn({ failures: 0, window: 0, trialTimeout: 0, jitter: 0, growth: 1, statuses: [] }), [])
  })

  test('all of them are named at once', () => {
    const bad = {
      balancer: '',
      failurs: 1,
      window: -1,
      openFor: 0,
      growth: 0.5,
      jitter: 1.1,
      trials: 0,
      needed: 1.5,
      trialTimeout: '1',
      maxOpenFor: 2 ** 31,
      statuses: [502, 99],
      rate: { time: 1, minimumCalls: 0, failureShare: 0, slowShare: 1.1, slowAfter: -1, call: 1 },
      backends: { a: { failures: -1, balancer: 'x' }, b: 'yes', c: null, d: { rate: 1 }, e: { backends: {} } },
    }
    assert.deepEqual(placesIn(bad), [
      'backends.a.balancer',
      'backends.a.failures',
      'backends.b',
      'backends.c',
      'backends.d.rate',
      'backends.e.backends',
      'balancer',
      'failurs',
      'growth',
      'jitter',
      'maxOpenFor',
      'needed',
      'openFor',
      'rate.call',
      'rate.failureShare',
      'rate.minimumCalls',
      'rate.slowAfter',
      'rate.slowShare',
      'rate.time',
      'statuses.1',
      'trialTimeout',
      'trials',
      'window',
    ])
  })

  test('true is a rate, or the circuit of a backend, with its defaults', () => {
    assert.deepEqual(parse({ rate: true }).settings.rate, parse({ rate: {} }).settings.rate)
    assert.deepEqual(parse({ backends: { a: true } }).backends, parse({ backends: { a: {} } }).backends)
  })

  test('what is no object at all', () => {
    for (const given of [5, 'x', null, []])
      assert.deepEqual(placesIn(given), [`expected an object, got ${shownKind(given)}`])
    for (const value of [5, 'x', null, []]) {
      assert.deepEqual(placesIn({ rate: value }), ['rate'])
      assert.deepEqual(placesIn({ backends: value }), ['backends'])
    }
  })

  test('a window by calls and by time', () => {
    assert.deepEqual(faultsOfOptions({ rate: { calls: 10, time: 1000 } }), ['rate: expected calls or time, not both'])
  })

  test('a fault of all is not repeated for each', () => {
    assert.deepEqual(placesIn({ rate: { calls: 0 }, growth: 0, backends: { a: {}, b: { openFor: 5 } } }), [
      'growth',
      'rate.calls',
    ])
  })

  test('what is undefined counts as not given', () => {
    assert.deepEqual(placesIn({ failures: undefined, rate: undefined, backends: undefined, balancer: undefined }), [])
    assert.equal(parse({ failures: undefined }).settings.failures, 3)
    const { backends } = parse({ failures: 5, backends: { a: { failures: undefined } } })
    assert.deepEqual(backends.get('a'), { ...defaults, failures: 5 })
  })
})
