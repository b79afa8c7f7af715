import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultsOfOptions, parseOptions, type MirrorOptions } from '../src/options.ts'

/** Options that a program without types could pass as well. */
function faults(options: unknown): readonly string[] {
  const found = faultsOfOptions(options as MirrorOptions)
  if (found.length === 0) parseOptions(options as MirrorOptions)
  else
    assert.throws(() => parseOptions(options as MirrorOptions), {
      code: 'FST_BALANCER_MIRROR_BAD_OPTIONS',
      statusCode: 500,
      message: `Bad mirror options: ${found.join('; ')}`,
    })
  return found
}

test('the defaults are these, and are not written into what was given', () => {
  const given = Object.freeze({ to: Object.freeze(['10.0.0.9:3000', 'https://mirror.example:443/']) })
  assert.deepEqual(parseOptions(given), {
    to: ['http://10.0.0.9:3000', 'https://mirror.example'],
    share: 1,
    methods: ['GET', 'HEAD', 'OPTIONS'],
    maxBody: 65_536,
    maxInFlight: 64,
    maxResponse: 1_048_576,
    timeouts: { connect: 2000, request: 10_000 },
  })
  assert.deepEqual(given, { to: ['10.0.0.9:3000', 'https://mirror.example:443/'] })
})

test('there are no faults where all is well', () => {
  assert.deepEqual(faults({ to: [] }), [])
  const least = { share: 0, methods: [], maxBody: 0, maxInFlight: 1, maxResponse: 0 }
  assert.deepEqual(faults({ to: [], balancer: 'api', ...least, timeouts: { connect: 1, request: 1 } }), [])
})

test('all faults are named at once', () => {
  const bad = {
    balancer: '',
    to: 'http://a',
    shar: 0.1,
    share: 1.1,
    methods: ['get'],
    maxBody: 65_537,
    maxInFlight: 0,
    maxResponse: -1,
    timeouts: { connect: 0, request: 0, idle: 1 },
  }
  const places = faults(bad).map((fault) => fault.split(':')[0]!)
  assert.deepEqual(places.toSorted(), [
    'balancer',
    'maxBody',
    'maxInFlight',
    'maxResponse',
    'methods.0',
    'shar',
    'share',
    'timeouts.connect',
    'timeouts.idle',
    'timeouts.request',
    'to',
  ])
})

test('without `to`, with `true` and with null, it is said what is expected', () => {
  assert.deepEqual(faults({}), ['to: expected an array, got nothing'])
  assert.match(faults(true)[0]!, /^expected an object/)
  assert.match(faults(null)[0]!, /^expected an object/)
})

test('addresses are origins, each of them once, and no secret of theirs is shown', () => {
  const to = ['http://a/path', 'ftp://a', 'nonsense', 'http://me:secret@a', 'http://a', 'A:80']
  const found = faults({ to })
  assert.deepEqual(found, [
    "to.0: 'http://a/path' must be an origin, without a path",
    "to.1: 'ftp://a' must begin with http:// or https://",
    "to.2: 'nonsense' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000",
    'to.3: must not carry credentials',
    'to.5: is the same as to.4',
  ])
})
