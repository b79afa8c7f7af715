import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { elsewhere, localhost } from '../../../test/support/certificates.ts'
import { ManualClock } from '../../../test/support/clock.ts'
import { BackendOptions, settingsOf } from '../src/backends/backend-options.ts'
import { BalancerOptions, parseOptions, type ParsedOptions } from '../src/options.ts'
import { corePolicies as policies } from '../src/picking/policies/by-name.ts'
import type { PolicyName, PolicyOption } from '../src/picking/policies/policy-option.ts'
import type { Policy } from '../src/picking/policy.ts'

/** Options that a program without types could pass as well. */
function parse(options: unknown) {
  return parseOptions(options as BalancerOptions)
}

/** What is wrong with them, each fault by itself. */
function faultsIn(options: unknown): string[] {
  try {
    parse(options)
  } catch (error) {
    const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string }
    assert.equal(code, 'FST_BALANCER_BAD_OPTIONS', String((error as Error).stack))
    assert.equal(statusCode, 400)
    assert.match(message, /^Bad balancer options: /)
    return message.slice('Bad balancer options: '.length).split('; ')
  }
  return []
}

/** Which places are at fault, sorted. */
function placesIn(options: unknown): string[] {
  return faultsIn(options)
    .map((fault) => fault.split(': ')[0]!)
    .sort()
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}

describe('defaults', () => {
  test('are these', () => {
    const { policy, ...rest } = parseOptions({})
    assert.equal(policy.name, 'round-robin')
    assert.deepEqual(rest, {
      name: 'default',
      prefix: '/',
      constraints: {},
      route: true,
      lane: 'auto',
      backends: [],
      pool: {
        connections: 1024,
        keepAliveTimeout: 4000,
        keepAliveMaxTimeout: 600_000,
        maxHeaderSize: 65_536,
        protocol: 'http1',
        maxAge: 0,
        http2: { streamWindow: 524_288, connectionWindow: 8_388_608, pingInterval: 330_000, pingTimeout: 20_000 },
        tls: {},
      },
      timeouts: {
        connect: 2000,
        continue: 1000,
        headers: 30_000,
        idle: 60_000,
        stream: 300_000,
        request: 0,
        queue: 1000,
      },
      retry: {
        attempts: 1,
        methods: ['GET', 'HEAD', 'OPTIONS'],
        statuses: [],
        delay: 0,
        grpc: [],
        budget: { ratio: 0.2, floor: 10 },
      },
      hedge: false,
      queue: { max: 1024, priority: { classes: [], share: 0.1 }, shed: false, target: 5, interval: 100 },
      upgrade: { protocols: ['websocket'], idle: 600_000, linger: 30_000, maxAge: 0, maxPerBackend: 0, weight: 0.1 },
      minClientRate: 240,
      maxConnectionAge: 0,
      maxConnectionAgeGrace: 0,
      panicThreshold: 0,
      slowStart: 0,
      drainDeadline: 30_000,
      forwarded: { xForwarded: true, forwarded: false, clientCert: false, also: [], via: false },
      host: 'preserve',
      paths: 'strict',
      requestId: false,
      failureHeader: false,
      logQuery: false,
      rewrite: { stripPrefix: false, cookies: {} },
    })
  })

  test('fill what is given in part, at each level', () => {
    const { timeouts, retry, pool, forwarded, rewrite } = parseOptions({
      timeouts: { headers: 5 },
      retry: { methods: [], budget: { floor: 0 } },
      pool: { connections: 2 },
      forwarded: { via: true },
      rewrite: { stripPrefix: true },
    })
    assert.deepEqual(timeouts, {
      connect: 2000,
      continue: 1000,
      headers: 5,
      idle: 60_000,
      stream: 300_000,
      request: 0,
      queue: 1000,
    })
    assert.deepEqual(retry, {
      attempts: 1,
      methods: [],
      statuses: [],
      delay: 0,
      grpc: [],
      budget: { ratio: 0.2, floor: 0 },
    })
    assert.equal(pool.connections, 2)
    assert.equal(pool.keepAliveTimeout, 4000)
    assert.deepEqual(forwarded, { xForwarded: true, forwarded: false, clientCert: false, also: [], via: true })
    assert.deepEqual(rewrite, { stripPrefix: true, cookies: {} })
  })

  test('stand in for what is undefined, and for options that are not given at all', () => {
    const data = ({ policy: { name, settings }, ...rest }: ParsedOptions) => ({ ...rest, policy: { name, settings } })
    assert.deepEqual(
      data(parse({ name: undefined, timeouts: undefined, pool: { connections: undefined } })),
      data(parseOptions({})),
    )
    assert.deepEqual(data(parse(undefined)), data(parseOptions({})))
  })

  test('belong to nobody else: two balancers share nothing that could be changed', () => {
    const [one, other] = [parseOptions({}), parseOptions({})]
    for (const key of ['constraints', 'pool', 'timeouts', 'retry', 'queue', 'forwarded', 'rewrite'] as const) {
      assert.notEqual(one[key], other[key], key)
    }
    assert.notEqual(one.pool.tls, other.pool.tls)
    assert.notEqual(one.retry.methods, other.retry.methods)
    assert.notEqual(one.retry.budget, other.retry.budget)
  })

  test('each is described in the schema', () => {
    interface Described {
      readonly description?: string
      readonly properties?: Readonly<Record<string, Described>>
    }
    function check(place: string, { description, properties }: Described): void {
      if (properties === undefined) assert.ok(description !== undefined && description.length > 0, place)
      else for (const [key, part] of Object.entries(properties)) check(`${place}.${key}`, part)
    }
    check('options', BalancerOptions)
  })
})

test('the defaults that the schema tells of a backend are those that it gets', () => {
  const { weight, priority, tags, maxInFlight } = settingsOf({ url: 'http://a.test' }, parseOptions({}).pool)
  assert.equal(weight, BackendOptions.properties.weight.default)
  assert.equal(priority, BackendOptions.properties.priority.default)
  assert.deepEqual([weight, priority, tags, maxInFlight], [1, 0, [], 1024])
})

describe("the caller's object", () => {
  test('is never written to, frozen or not', () => {
    const make = () => ({
      name: 'a',
      prefix: '/a',
      constraints: { host: 'a.test' },
      backends: ['http://a.test', { url: 'http://b.test/', tags: ['x'], weight: 2 }],
      policy: { name: 'p2c' as const },
      pool: { tls: { ca: [localhost.cert] } },
      timeouts: {},
      retry: { budget: {}, methods: ['GET'] },
      queue: {},
      forwarded: {},
      rewrite: { request: () => {} },
    })
    const given = make()
    parseOptions(given)
    assert.deepEqual({ ...given, rewrite: null }, { ...make(), rewrite: null })
    parse(deepFreeze(make()))
  })

  test('is never written to when it is at fault', () => {
    const given = { timeouts: { connect: -1 }, retry: {}, nope: 1 }
    assert.ok(faultsIn(deepFreeze(given)).length > 0)
  })

  test('may have no prototype, as what parseArgs and others answer', () => {
    const bare = (fields: object) => Object.assign(Object.create(null) as object, fields)
    const parsed = parse(
      deepFreeze(bare({ name: 'a', retry: bare({ budget: bare({ floor: 1 }) }), timeouts: bare({}) })),
    )
    assert.equal(parsed.name, 'a')
    assert.deepEqual({ ...parsed.retry.budget }, { ratio: 0.2, floor: 1 })
    assert.deepEqual({ ...parsed.timeouts }, parseOptions({}).timeouts)
  })

  test('is not followed when it is changed later', () => {
    const given = {
      timeouts: { connect: 1 },
      backends: [{ url: 'http://a.test', weight: 2, tags: ['canary'] }],
      retry: { methods: ['GET'] },
    }
    const parsed = parseOptions(given)
    given.timeouts.connect = 2
    given.backends[0]!.weight = 3
    given.backends[0]!.tags.push('another')
    given.retry.methods.push('POST')
    assert.equal(parsed.timeouts.connect, 1)
    assert.equal(parsed.backends[0]!.weight, 2)
    assert.deepEqual(parsed.backends[0]!.tags, ['canary'])
    assert.deepEqual(parsed.retry.methods, ['GET'])
  })

  test('answers with options that cannot be replaced', () => {
    assert.ok(Object.isFrozen(parseOptions({})))
  })
})

describe('faults', () => {
  test('are all named in one error, each with its place', () => {
    assert.deepEqual(
      placesIn({
        nope: 1,
        name: '',
        prefix: 'api',
        constraints: 5,
        route: 'yes',
        lane: 'fast',
        policy: 'best',
        pool: { typo: 1, connections: 0, keepAliveTimeout: -1, keepAliveMaxTimeout: 0.5, protocol: 'http3', tls: 1 },
        timeouts: { connect: -1, continue: 0.5, headers: '1s', idle: 2 ** 31, request: null, queue: Infinity, typo: 1 },
        retry: { attempts: 11, methods: 'GET', statuses: [200], typo: 1, budget: { ratio: 2, floor: -1, typo: 1 } },
        queue: { max: -1, typo: 1 },
        panicThreshold: 1.5,
        drainDeadline: -1,
        forwarded: { xForwarded: 1, typo: 1 },
        host: '',
        failureHeader: 1,
        rewrite: { stripPrefix: 1, request: 'x', response: {}, typo: 1 },
        clock: {},
        random: 0.5,
        backends: ['nowhere', { url: 'http://a.test', typo: 1 }],
      }),
      [
        'backends.0.url',
        'backends.1.typo',
        'clock.now',
        'constraints',
        'drainDeadline',
        'failureHeader',
        'forwarded.typo',
        'forwarded.xForwarded',
        'host',
        'lane',
        'name',
        'nope',
        'panicThreshold',
        'policy',
        'pool.connections',
        'pool.keepAliveMaxTimeout',
        'pool.keepAliveTimeout',
        'pool.protocol',
        'pool.tls',
        'pool.typo',
        'prefix',
        'queue.max',
        'queue.typo',
        'random',
        'retry.attempts',
        'retry.budget.floor',
        'retry.budget.ratio',
        'retry.budget.typo',
        'retry.methods',
        'retry.statuses.0',
        'retry.typo',
        'rewrite.request',
        'rewrite.response',
        'rewrite.stripPrefix',
        'rewrite.typo',
        'route',
        'timeouts.connect',
        'timeouts.continue',
        'timeouts.headers',
        'timeouts.idle',
        'timeouts.queue',
        'timeouts.request',
        'timeouts.typo',
      ],
    )
  })

  test('of certificates that could not be used do not wait for the first connection', () => {
    const { cert, key } = localhost
    assert.deepEqual(faultsIn({ pool: { tls: { ca: [cert, cert + elsewhere.cert], cert, key } } }), [])
    for (const [tls, place] of [
      [{ ca: 'nonsense' }, 'pool.tls.ca'],
      [{ ca: '' }, 'pool.tls.ca'],
      [{ ca: cert + elsewhere.cert.slice(0, 500) }, 'pool.tls.ca'],
      [{ ca: cert.slice(0, 200) + cert.slice(300) }, 'pool.tls.ca'],
      [{ cert: cert.slice(0, 500), key }, 'pool.tls.cert'],
      [{ cert, key: 'nonsense' }, 'pool.tls.key'],
      [{ cert, key: elsewhere.key }, 'pool.tls.key'],
      [{ cert }, 'pool.tls.cert'],
      [{ minVersion: 'TLSv9' }, 'pool.tls.minVersion'],
      [{ ciphers: 'none at all' }, 'pool.tls'],
    ] as const)
      assert.deepEqual(placesIn({ pool: { tls } }), [place])
  })

  test('say what is wrong', () => {
    assert.deepEqual(faultsIn({ timeouts: { conect: 5 } }), ['timeouts.conect: unknown option (did you mean connect?)'])
    assert.deepEqual(faultsIn({ timeouts: { connect: -1 } }), [
      'timeouts.connect: expected a whole number from 0 to 2147483647 or false, got -1',
    ])
    for (const prefix of ['api', '/api/*', '/api?x', '/a#b']) assert.deepEqual(faultsIn({ prefix }).length, 1, prefix)
    assert.deepEqual(faultsIn({ prefix: 'api' }), [
      "prefix: expected a path that begins with '/', without ?, # and *, got 'api'",
    ])
    assert.deepEqual(faultsIn({ random: 1 }), ['random: expected a function, got 1'])
    assert.deepEqual(faultsIn({ policy: 'best' }), [
      "policy: expected round-robin, weighted, random, p2c, least-requests, or an object with a name and over(), got 'best'",
    ])
  })

  test('are found where a function stands for data', () => {
    const f = () => 5
    assert.deepEqual(
      placesIn({
        name: f,
        route: f,
        pool: f,
        timeouts: { connect: f },
        retry: { methods: [f] },
        backends: [f],
        host: f,
      }),
      ['backends.0', 'host', 'name', 'pool', 'retry.methods.0', 'route', 'timeouts.connect'],
    )
    assert.deepEqual(placesIn({ backends: f }), ['backends'])
    assert.deepEqual(placesIn({ policy: f }), ['policy'])
  })

  for (const key of [
    'name',
    'prefix',
    'constraints',
    'pool',
    'timeouts',
    'retry',
    'queue',
    'forwarded',
    'rewrite',
  ] as const) {
    for (const value of [null, 5, true] as const) {
      // `true` stands for the defaults of what can be switched off.
      if (value === true && ['retry', 'queue', 'forwarded'].includes(key)) continue
      test(`are found where ${key} is ${JSON.stringify(value)}, and others beside it`, () => {
        const places = placesIn({ [key]: value, nope: 1, backends: ['http://a.test', 'nowhere'] })
        assert.deepEqual([...new Set(places)], ['backends.1.url', key, 'nope'].sort())
      })
    }
  }
})

describe('what can be switched off', () => {
  test('is read as its off', () => {
    const { retry, queue, forwarded, timeouts, slowStart, drainDeadline } = parseOptions({
      retry: false,
      queue: false,
      forwarded: false,
      timeouts: { headers: false, request: false },
      slowStart: false,
      drainDeadline: false,
    })
    assert.deepEqual([retry.attempts, retry.budget], [0, { ratio: 0.2, floor: 10 }])
    assert.deepEqual(queue, { ...parseOptions({}).queue, max: 0 })
    assert.deepEqual(forwarded, { xForwarded: false, forwarded: false, clientCert: false, also: [], via: false })
    assert.deepEqual([timeouts.headers, timeouts.request, timeouts.connect], [0, 0, 2000])
    assert.deepEqual([slowStart, drainDeadline], [0, 0])
  })

  test('is as without it where it is true', () => {
    const { retry, queue, forwarded } = parseOptions({ retry: true, queue: true, forwarded: true })
    const defaults = parseOptions({})
    assert.deepEqual(
      { retry, queue, forwarded },
      { retry: defaults.retry, queue: defaults.queue, forwarded: defaults.forwarded },
    )
  })

  test('has all defaults of its parts where it is true and off by default', () => {
    const { hedge } = parseOptions({ hedge: true })
    assert.deepEqual(hedge, { percentile: 95, minDelay: 1, budget: { ratio: 0.05, floor: 0 } })
    assert.deepEqual(hedge, parseOptions({ hedge: {} }).hedge)
    assert.deepEqual([parseOptions({ hedge: false }).hedge, parseOptions({}).hedge], [false, false])
    assert.deepEqual(faultsIn({ hedge: 5 }), ['hedge: expected an object, true or false, got 5'])
  })

  test('is no duration: true says of none how long it is', () => {
    assert.deepEqual(faultsIn({ slowStart: true }), [
      'slowStart: expected a whole number from 0 to 2147483647 or false, got true',
    ])
  })
})

describe('a policy', () => {
  for (const name of Object.keys(policies) as PolicyName[]) {
    test(`is named ${name}, by itself or in an object`, () => {
      assert.equal(parseOptions({ policy: name }).policy.make(Math.random).name, name)
      assert.equal(parseOptions({ policy: { name } as PolicyOption }).policy.make(Math.random).name, name)
    })
  }

  for (const policy of [
    '',
    'constructor',
    '__proto__',
    'Round-Robin',
    {},
    { name: 'best' },
    { name: 5 },
    [],
    null,
    5,
  ]) {
    test(`is not ${JSON.stringify(policy)}`, () => assert.deepEqual(placesIn({ policy }), ['policy']))
  }

  for (const [given, meant] of Object.entries({
    roundrobin: 'round-robin',
    rr: 'round-robin',
    least_conn: 'least-requests',
    leastconn: 'least-requests',
    'power-of-two-choices': 'p2c',
    weigthed: 'weighted',
  }))
    test(`${given} is answered with ${meant}`, () => {
      for (const policy of [given, { name: given }])
        assert.match(faultsIn({ policy }).join(), new RegExp(`got '${given}' \\(did you mean '${meant}'\\?\\)$`))
    })

  test('is not an object with keys that its policy does not know', () => {
    assert.deepEqual(faultsIn({ policy: { name: 'p2c', choices: 3 } }), [
      "policy.choices: unknown option (the policy 'p2c' has none)",
    ])
  })

  class First implements Policy {
    readonly name = 'first'
    over(available: Parameters<Policy['over']>[0]) {
      return { pick: () => available[0], peek: () => available[0] }
    }
  }

  test('of your own may be an instance of a class', () => {
    const own = new First()
    assert.equal(parseOptions({ policy: own }).policy.make(Math.random), own)
  })

  test('of your own may be a plain object: it is used itself, not a copy, so that its state is one', () => {
    const own: Policy & { picked: number } = {
      name: 'first',
      picked: 0,
      over: ([first]) => ({ pick: () => first, peek: () => first }),
    }
    assert.equal(parseOptions({ policy: own }).policy.make(Math.random), own)
  })

  test('of your own has a name', () => {
    assert.deepEqual(placesIn({ policy: { over: () => {} } }), ['policy'])
    assert.deepEqual(placesIn({ policy: { name: 5, over: () => {} } }), ['policy'])
  })
})

describe('code', () => {
  test('is taken as it is', () => {
    const given = {
      rewrite: { request: () => {}, response: () => {} },
      clock: new ManualClock(),
      random: () => 0.5,
    }
    const { rewrite, clock, random } = parseOptions(given)
    assert.equal(rewrite.request, given.rewrite.request)
    assert.equal(rewrite.response, given.rewrite.response)
    assert.equal(clock, given.clock)
    assert.equal(random, given.random)
  })

  test('a clock that is a plain object is used itself, not a copy, so that its time is one', () => {
    const clock = { time: 5, now: () => 0, setTimeout: () => 0, clearTimeout: () => {} }
    assert.equal(parseOptions({ clock }).clock, clock)
  })

  for (const clock of [null, 5, {}, { now: 5 }, { now: () => 0 }, { now: () => 0, setTimeout: () => 0 }]) {
    test(`a clock is not ${JSON.stringify(clock)}`, () => {
      const places = placesIn({ clock })
      assert.ok(places.length > 0)
      for (const place of places) assert.match(place, /^clock/)
    })
  }
})

describe('a backend', () => {
  test('may be an address, which is its origin and, unless it has a name, its id', () => {
    const { backends } = parseOptions({
      backends: [
        'http://a.test',
        'HTTP://B.test:80/',
        'https://c.test:443',
        'http://[::1]:8080',
        { url: 'http://d.test', id: 'd' },
      ],
    })
    assert.deepEqual(backends, [
      { url: 'http://a.test', id: 'http://a.test' },
      { url: 'http://b.test', id: 'http://b.test' },
      { url: 'https://c.test', id: 'https://c.test' },
      { url: 'http://[::1]:8080', id: 'http://[::1]:8080' },
      { url: 'http://d.test', id: 'd' },
    ])
  })

  for (const [address, url] of [
    ['127.0.0.1:3001', 'http://127.0.0.1:3001'],
    ['localhost:3001', 'http://localhost:3001'],
    ['[::1]:3001', 'http://[::1]:3001'],
    ['backend.internal:8080', 'http://backend.internal:8080'],
    ['Backend_1:80', 'http://backend_1'],
  ] as const)
    test(`may be ${address}`, () => {
      for (const backend of [address, { url: address }])
        assert.deepEqual(parseOptions({ backends: [backend] }).backends, [{ url, id: url }])
    })

  for (const address of ['http:3001', 'https:3001', ':3001', 'a b:80', 'user@a.test:80', 'a.test:99999', 'a.test/x:80'])
    test(`may not be ${address}`, () => assert.deepEqual(placesIn({ backends: [address] }), ['backends.0.url']))

  test('keeps everything that is said of it', () => {
    const backend = {
      url: 'http://a.test',
      id: 'a',
      weight: 2,
      priority: 1,
      maxInFlight: 7,
      zone: 'z',
      tags: ['x', 'y'],
    }
    assert.deepEqual(parseOptions({ backends: [backend] }).backends, [backend])
  })

  for (const [url, fault] of [
    ['nowhere', "'nowhere' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000"],
    ['', "'' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000"],
    ['http://', "'http://' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000"],
    ['http://a.test:99999', "'http://a.test:99999' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000"],
    ['//a.test', "'//a.test' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000"],
    ['ftp://a.test', "'ftp://a.test' must begin with http://, https:// or unix:"],
    ['unix:run/a.sock', "'unix:run/a.sock' must name a socket by its whole path, such as unix:/run/app.sock"],
    ['http://a.test/?q', "'http://a.test/?…' must be an address without ? and #"],
    ['http://a.test/#f', "'http://a.test/#f' must be an address without ? and #"],
    ['http://user@a.test', 'must not carry credentials'],
    ['http://:secret@a.test', 'must not carry credentials'],
    ['http://user:secret@a.test/path', 'must not carry credentials'],
  ] as const) {
    test(`is not at '${url}'`, () => {
      assert.deepEqual(faultsIn({ backends: [url] }), [`backends.0.url: ${fault}`])
      assert.deepEqual(faultsIn({ backends: ['http://b.test', { url }] }), [`backends.1.url: ${fault}`])
    })
  }

  for (const url of ['http://user:s3cret@a.test', 'ftp://user:s3cret@a.test', 'http://user:s3cret@a.test:99999']) {
    test(`at ${url.replace('s3cret', '…')} does not betray its password`, () => {
      const [fault] = faultsIn({ backends: [url] })
      assert.ok(fault !== undefined && !fault.includes('s3cret'), String(fault))
    })
  }

  for (const [field, values] of Object.entries({
    weight: [0, -1, 1.5, 65_536, '1', null],
    priority: [-1, 0.5, 65_536, '0'],
    maxInFlight: [0, -1, 1.5, '1'],
    id: ['', 5, 'x'.repeat(201)],
    zone: [5],
    tags: ['x', [5]],
    url: [5, null, undefined],
  })) {
    for (const value of values) {
      test(`has no ${field} ${JSON.stringify(value)?.slice(0, 20)}`, () => {
        const [fault, ...more] = faultsIn({ backends: [{ url: 'http://a.test', [field]: value }] })
        assert.ok(fault?.startsWith(`backends.0.${field}`), String(fault))
        assert.deepEqual(more, [])
      })
    }
  }

  for (const item of [null, 5, true, [], {}]) {
    test(`is not ${JSON.stringify(item)}`, () => {
      const places = placesIn({ backends: ['http://a.test', item] })
      assert.equal(places.length, 1)
      assert.match(places[0]!, /^backends\.1/)
    })
  }

  test('has an id of its own', () => {
    assert.deepEqual(
      faultsIn({
        backends: [
          'http://a.test',
          { url: 'http://b.test', id: 'b' },
          { url: 'http://c.test', id: 'b' },
          'http://A.test:80/',
          { url: 'http://d.test', id: 'http://a.test' },
        ],
      }),
      [
        "backends.2.id: 'b' is already used by backends.1",
        "backends.3.id: 'http://a.test' is already used by backends.0",
        "backends.4.id: 'http://a.test' is already used by backends.0",
      ],
    )
  })

  test('may share its address with another one of a different id', () => {
    assert.deepEqual(
      placesIn({
        backends: [
          { url: 'http://a.test', id: 'a' },
          { url: 'http://a.test', id: 'b' },
        ],
      }),
      [],
    )
  })

  test('has no more in flight than there are connections, unless they are multiplexed', () => {
    const backends = [{ url: 'https://a.test', maxInFlight: 9 }]
    assert.deepEqual(faultsIn({ backends, pool: { connections: 8 } }), [
      'backends.0.maxInFlight: 9 is above pool.connections (8)',
    ])
    assert.deepEqual(faultsIn({ backends, pool: { connections: 9 } }), [])
    assert.deepEqual(faultsIn({ backends, pool: { connections: 1, protocol: 'http2' } }), [])
    assert.deepEqual(faultsIn({ backends: [{ url: 'http://a.test', maxInFlight: 1025 }] }), [
      'backends.0.maxInFlight: 1025 is above pool.connections (1024)',
    ])
  })

  test('speaks what its scheme allows', () => {
    const placesWith = (protocol: string, url: string) => placesIn({ pool: { protocol }, backends: [url] })
    assert.deepEqual(placesWith('http2', 'https://a.test'), [])
    assert.deepEqual(placesWith('http2', 'http://a.test'), ['backends.0.url'])
    assert.deepEqual(placesWith('h2c', 'http://a.test'), [])
    assert.deepEqual(placesWith('h2c', 'https://a.test'), ['backends.0.url'])
    assert.deepEqual(placesWith('http1', 'http://a.test'), [])
    assert.deepEqual(placesWith('http1', 'https://a.test'), [])
  })

  test('is named with all its faults, and so are the others', () => {
    assert.deepEqual(
      placesIn({ backends: [{ url: 5, weight: 0, typo: 1 }, 'nowhere', { url: 'http://a.test', maxInFlight: 2000 }] }),
      ['backends.0.typo', 'backends.0.url', 'backends.0.weight', 'backends.1.url', 'backends.2.maxInFlight'],
    )
  })
})

describe('limits', () => {
  test('the least that is allowed', () => {
    assert.deepEqual(
      placesIn({
        name: 'n',
        host: 'h',
        queue: { max: 0 },
        pool: { connections: 1, keepAliveTimeout: 1, keepAliveMaxTimeout: 1 },
        backends: [{ url: 'http://a.test', id: 'i', weight: 1, priority: 0, maxInFlight: 1, zone: '', tags: [] }],
      }),
      [],
    )
  })

  test('of time: 0 is none, and the largest is what a timer holds', () => {
    for (const value of [0, 1, 2_147_483_647]) {
      assert.deepEqual(placesIn({ drainDeadline: value, timeouts: { request: value, queue: value } }), [])
    }
    for (const value of [-1, 0.5, 2_147_483_648, NaN, Infinity, '5', null]) {
      assert.deepEqual(placesIn({ timeouts: { request: value } }), ['timeouts.request'])
      assert.deepEqual(placesIn({ drainDeadline: value }), ['drainDeadline'])
    }
  })

  test('of the panic threshold: a share, or never', () => {
    for (const value of [0, 0.5, 1, false]) assert.deepEqual(placesIn({ panicThreshold: value }), [])
    for (const value of [-0.1, 1.1, true, '0.5', null])
      assert.deepEqual(placesIn({ panicThreshold: value }), ['panicThreshold'])
  })

  test('of retries', () => {
    assert.deepEqual(
      placesIn({ retry: { attempts: 0, statuses: [400, 503, 599], budget: { ratio: 1, floor: 0.5 } } }),
      [],
    )
    assert.deepEqual(placesIn({ retry: { attempts: 10, budget: { ratio: 0, floor: 0 } } }), [])
    assert.deepEqual(placesIn({ retry: { statuses: [399, 600] } }), ['retry.statuses.0', 'retry.statuses.1'])
  })
})

test('a method in small letters, which is another method and would retry nothing, is a fault', () => {
  for (const method of ['get', 'Get', '', 'GET ', 'GET,HEAD'])
    assert.throws(() => parseOptions({ retry: { methods: [method] } }), {
      message: new RegExp(`retry\\.methods\\.0: expected a method in capitals, such as GET, got '${method}'`),
    })
  assert.deepEqual(parseOptions({ retry: { methods: ['PUT', 'M-SEARCH'] } }).retry.methods, ['PUT', 'M-SEARCH'])
})
