import { BackendOptions } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BalancersView, BalancerView, BackendView, FaultView, PreviewView, SetView } from '../../src/schemas/views.ts'
import { WantedBackend } from '../../src/schemas/wanted.ts'
import { a, assertIs, b, stage } from '../stage.ts'

const backends = '/balancers/default/backends'
const c = { id: 'c', url: 'http://127.0.0.1:3' }

describe('what is shown', () => {
  test('all balancers', async (t) => {
    const { ask } = await stage(t)
    const { status, body, headers } = await ask('GET', '/balancers')
    assert.equal(status, 200)
    assertIs(BalancersView, body)
    assert.deepEqual(
      body.balancers.map((one: Record<string, unknown>) => [one.name, one.revision, one.backends, one.available]),
      [['default', 1, 2, 2]],
    )
    assert.deepEqual([headers['cache-control'], headers['x-content-type-options']], ['no-store', 'nosniff'])
  })

  test('one balancer, its list, and one backend; the tag begins with the revision', async (t) => {
    const { app, ask } = await stage(t)
    app.balancer.veto(app.balancer.backend('a'), { by: 'me', reason: 'why not', evidence: { secret: 1 } })
    const one = await ask('GET', '/balancers/default')
    const all = await ask('GET', backends)
    const single = await ask('GET', `${backends}/a`)
    assert.deepEqual([one.status, all.status, single.status], [200, 200, 200])
    for (const { headers } of [one, all, single]) assert.match(String(headers.etag), /^"1-[\w-]{16}"$/)
    assertIs(BalancerView, one.body)
    assertIs(SetView, all.body)
    assertIs(BackendView, single.body)
    assert.deepEqual(all.body.backends[0], single.body)
    const { since, ...veto } = single.body.vetoes[0]
    assert.equal(typeof since, 'number')
    assert.deepEqual(veto, { by: 'me', reason: 'why not', hard: false, evidence: { secret: 1 } })
    assert.equal(single.body.available, false)
  })

  test('an id that is an address is escaped in the path', async (t) => {
    const { ask } = await stage(t, { balancer: { backends: ['http://127.0.0.1:1'] } })
    const { status, body } = await ask('GET', `${backends}/${encodeURIComponent('http://127.0.0.1:1')}`)
    assert.deepEqual([status, body.id], [200, 'http://127.0.0.1:1'])
  })

  test('nothing of TLS options', async (t) => {
    const { ask } = await stage(t, { balancer: { pool: { tls: { passphrase: 'TOPSECRET' } } } })
    assert.doesNotMatch(JSON.stringify((await ask('GET', '/balancers/default')).body), /TOPSECRET|tls/)
  })

  test('nothing of those of one backend, which no change touches, and none sets', async (t) => {
    const secure = { url: 'https://127.0.0.1:1', id: 's', tls: { passphrase: 'TOPSECRET' } }
    const { app, ask, told } = await stage(t, { balancer: { backends: [secure, a] } })
    const { tls } = app.balancer.backend('s')
    const { body } = await ask('GET', backends)
    const given = body.backends.map(({ id, url }: typeof a) => ({ id, url, weight: 7 }))
    for (const [method, path, sent] of [
      ['PUT', backends, { backends: given }],
      ['PATCH', `${backends}/s`, { weight: 3 }],
      ['POST', backends, c],
      ['POST', '/balancers/default/rollback', { revision: 2 }],
    ] as const) {
      const answer = await ask(method, path, sent)
      assert.ok(answer.status < 300, JSON.stringify(answer.body))
      assert.equal(app.balancer.backend('s').tls, tls, path)
      assert.doesNotMatch(JSON.stringify([answer.body, told]), /TOPSECRET|"tls"/)
    }
    const put = await ask('PUT', backends, { backends: [{ ...given[0], tls: { rejectUnauthorized: false } }, a] })
    const posted = await ask('POST', backends, { url: 'https://127.0.0.1:9', tls: {} })
    const patched = await ask('PATCH', `${backends}/s`, { tls: { rejectUnauthorized: false } })
    assert.deepEqual([put.status, posted.status, patched.status], [400, 400, 400])
    assert.deepEqual(put.body.faults, ['backends.0.tls: cannot be set here, only in the options of the balancer'])
    assert.deepEqual(posted.body.faults, ['tls: cannot be set here, only in the options of the balancer'])
    assert.equal(app.balancer.backend('s').tls, tls)
  })
})

describe('the whole list', () => {
  test('is replaced, and what stays the same keeps its counters', async (t) => {
    const { app, ask, list } = await stage(t)
    const kept = app.balancer.backend('b')
    const { status, body, headers } = await ask('PUT', backends, { backends: [{ ...b, weight: 5 }, c.url] })
    assert.deepEqual([status, headers.etag, body.revision], [200, '"2"', 2])
    assertIs(SetView, body)
    assert.deepEqual(list(), ['b 5', `${c.url} 1`])
    assert.equal(app.balancer.backend('b'), kept)
  })

  test('is refused as a whole, with every fault', async (t) => {
    const { ask, list, told } = await stage(t)
    const { status, body } = await ask('PUT', backends, {
      backends: [c, 'nonsense', { url: 'http://d', weight: 0, x: 1 }],
    })
    assert.equal(status, 400)
    assertIs(FaultView, body)
    assert.deepEqual(body.faults, [
      "backends.1.url: 'nonsense' is not an address such as http://10.0.0.1:3000 or 10.0.0.1:3000",
      'backends.2.x: unknown option (there are: url, id, weight, priority, maxInFlight, zone, tags, protocol, tls, proxyProtocol)',
      'backends.2.weight: expected a whole number from 1 to 65535, got 0',
    ])
    assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
    const long = 'x'.repeat(101)
    for (const [id, fault] of [
      ['a', "id: 'a' is already used by backends.0"],
      [long, "id: cannot be used in a path: longer than 100 characters (Fastify's maxParamLength)"],
    ]) {
      const added = await ask('POST', backends, { url: 'ftp://x', id })
      assert.deepEqual(added.body.faults, ["url: 'ftp://x' must begin with http://, https:// or unix:", fault])
    }
  })

  test('a dry run answers the diff, and faults, and changes nothing', async (t) => {
    const { ask, list, told } = await stage(t)
    const dry = `${backends}?dryRun=true`
    const { status, body } = await ask('PUT', dry, { backends: [{ ...b, weight: 5 }, c, { url: 'ftp://x' }] })
    assert.equal(status, 200)
    assertIs(PreviewView, body)
    assert.deepEqual(
      { ...body, changed: body.changed.map((one: any) => [one.id, one.from.weight, one.to.weight]) },
      {
        added: ['c'],
        removed: ['a'],
        changed: [['b', 2, 5]],
        faults: ["backends.2.url: 'ftp://x' must begin with http://, https:// or unix:"],
      },
    )
    for (const [method, path, given] of [
      ['POST', dry, c],
      ['PATCH', `${backends}/a?dryRun=true`, { weight: 9 }],
      ['DELETE', `${backends}/a?dryRun=true`],
      ['POST', '/balancers/default/rollback?dryRun=true', { revision: 1 }],
    ] as const) {
      const answer = await ask(method, path, given)
      assert.equal(answer.status, 200, path)
      assertIs(PreviewView, answer.body)
    }
    assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
    assert.deepEqual((await ask('PUT', `${backends}?dryRun=maybe`, { backends: [] })).body.faults, [
      "dryRun: expected true or false, got 'maybe'",
    ])
  })

  test('a check of the balancer may refuse newcomers', async (t) => {
    const { app, ask, list } = await stage(t)
    app.balancer.addHook('onBackendsPropose', ([backend]) => [{ backend: backend!, refusal: 'sick' }])
    const { status, body } = await ask('POST', backends, c)
    assert.deepEqual([status, body.code], [409, 'FST_BALANCER_REFUSED_BACKENDS'])
    assert.deepEqual(list(), ['a 1', 'b 2'])
  })
})

describe('very many faults', () => {
  const many = 250
  const rest = 'and 150 more'
  test('are told up to 100, and how many more', async (t) => {
    const { ask, list } = await stage(t)
    const wrong = { backends: Array.from({ length: many }, () => 1) }
    const first = Array.from(
      { length: 100 },
      (_, index) => `backends.${index}: expected an address, or an object, got 1`,
    )
    const { status, body } = await ask('PUT', backends, wrong)
    assert.deepEqual([status, body.faults], [400, [...first, rest]])
    assert.equal(body.message, `Bad request: ${[...first, rest].join('; ')}`)
    assertIs(FaultView, body)
    const dry = await ask('PUT', `${backends}?dryRun=true`, wrong)
    assert.deepEqual([dry.status, dry.body.faults], [200, [...first, rest]])
    const hundred = await ask('PUT', backends, { backends: wrong.backends.slice(0, 100) })
    assert.deepEqual(hundred.body.faults, first)
    assert.deepEqual(list(), ['a 1', 'b 2'])
  })

  test('also those of one backend, of a patch, and of a query', async (t) => {
    const { ask } = await stage(t)
    const tags = Array.from({ length: many }, () => 1)
    const query = tags.map((_, index) => `x${index}=`).join('&')
    for (const [method, path, given] of [
      ['POST', backends, { ...c, tags }],
      ['PATCH', `${backends}/a`, { tags }],
      ['GET', `${backends}?${query}`, undefined],
    ] as const) {
      const { status, body } = await ask(method, path, given)
      assert.deepEqual([status, body.faults.length, body.faults.at(-1)], [400, 101, rest], `${method} ${path}`)
    }
  })
})

describe('one backend', () => {
  test('is added, changed and removed', async (t) => {
    const { ask, list } = await stage(t)
    const added = await ask('POST', backends, { ...c, id: 'c/1' })
    assert.deepEqual([added.status, added.headers.etag], [201, '"2"'])
    assertIs(BackendView, added.body)
    assert.equal(added.headers.location, '/_balancer/balancers/default/backends/c%2F1')
    assert.equal((await ask('GET', `${backends}/c%2F1`)).body.url, c.url)

    const changed = await ask('PATCH', `${backends}/c%2F1`, { weight: 7, tags: ['x'], zone: 'y', priority: 0 })
    assert.deepEqual([changed.status, changed.headers.etag, changed.body.weight], [200, '"3"', 7])
    assertIs(BackendView, changed.body)
    assert.deepEqual(list(), ['a 1', 'b 2', 'c/1 7'])

    const removed = await ask('DELETE', `${backends}/a?deadline=100`)
    assert.deepEqual([removed.status, removed.headers.etag], [200, '"4"'])
    assertIs(SetView, removed.body)
    assert.deepEqual(list(), ['b 2', 'c/1 7'])
  })

  test('is refused with faults of its own', async (t) => {
    const { ask, list } = await stage(t)
    const cases = [
      ['POST', backends, { url: 'http://u:p@x' }, ['url: must not carry credentials']],
      ['POST', backends, { ...c, id: 'a' }, ["id: 'a' is already used by backends.0"]],
      ['POST', backends, {}, ['url: expected a string, got nothing']],
      ['POST', backends, [], ['expected an object, got an array']],
      [
        'PATCH',
        `${backends}/a`,
        { url: c.url },
        ['url: unknown option (there are: weight, priority, maxInFlight, zone, tags, protocol)'],
      ],
      ['PATCH', `${backends}/a`, {}, ['expected an object that is not empty, got an object']],
      ['PATCH', `${backends}/b`, { maxInFlight: 2000 }, ['maxInFlight: 2000 is above pool.connections (1024)']],
      [
        'DELETE',
        `${backends}/a?deadline=-1`,
        undefined,
        ['deadline: expected a whole number from 0 to 2147483647, got -1'],
      ],
    ] as const
    for (const [method, path, given, faults] of cases) {
      const { status, body } = await ask(method, path, given)
      assert.deepEqual([status, body.faults], [400, faults], `${method} ${path}`)
      assertIs(FaultView, body)
    }
    assert.deepEqual(list(), ['a 1', 'b 2'])
  })

  test('is refused with every fault at once, and a dry run tells the same', async (t) => {
    const { ask, told } = await stage(t, { admin: { insecure: true, allow: ['10.0.0.0/8'] } })
    const weight = 'weight: expected a whole number from 1 to 65535, got 0'
    const path = '/balancers/default/backends'
    for (const [method, place, given, faults] of [
      [
        'POST',
        path,
        { url: 'ftp://x', weight: 0 },
        [weight, "url: 'ftp://x' must begin with http://, https:// or unix:"],
      ],
      [
        'POST',
        path,
        { url: 'http://h', colour: 'red', weight: 0 },
        [
          'colour: unknown option (there are: url, id, weight, priority, maxInFlight, zone, tags, protocol, tls, proxyProtocol)',
          weight,
          "url: 'http://h' is not allowed by the admin option 'allow'",
        ],
      ],
      ['POST', path, {}, ['url: expected a string, got nothing']],
      [
        'PATCH',
        `${path}/a`,
        { weight: 0, url: 'http://10.0.0.1', priority: -1 },
        [
          'url: unknown option (there are: weight, priority, maxInFlight, zone, tags, protocol)',
          weight,
          'priority: expected a whole number from 0 to 65535, got -1',
        ],
      ],
    ] as const) {
      const real = await ask(method, place, given)
      assert.deepEqual([real.status, real.body.faults], [400, faults])
      const dry = await ask(method, `${place}?dryRun=true`, given)
      assert.deepEqual([dry.status, dry.body.faults], [200, faults])
    }
    const listed = { backends: [{ url: 'ftp://x', weight: 0 }] }
    assert.equal((await ask('PUT', path, listed)).body.faults.length, 2)
    // Nothing that is secret is told again.
    const secret = await ask('POST', path, { url: 'user:secret@10.0.0.1:80' })
    assert.deepEqual([secret.status, JSON.stringify(secret.body).includes('secret')], [400, false])
    assert.deepEqual(told, [])
  })

  test('that is not there is 404, as are balancers', async (t) => {
    const { ask } = await stage(t)
    for (const [method, path, given] of [
      ['GET', ''],
      ['PATCH', '', { weight: 2 }],
      ['DELETE', ''],
      ['PUT', '/state', { state: 'ready' }],
      ['GET', '/wait'],
      ['POST', '/probe'],
      ['PUT', '/circuit', { state: 'auto' }],
    ] as const) {
      const unknown = await ask(method, `${backends}/nobody${path}`, given)
      assert.deepEqual([unknown.status, unknown.body.code], [404, 'FST_BALANCER_UNKNOWN_BACKEND'], path)
      const nowhere = await ask(method, `/balancers/nowhere/backends/a${path}`, given)
      assert.deepEqual([nowhere.status, nowhere.body.code], [404, 'FST_BALANCER_ADMIN_UNKNOWN_BALANCER'], path)
    }
    for (const [method, path, given] of [
      ['GET', '/balancers/nowhere'],
      ['GET', '/balancers/nowhere/backends'],
      ['PUT', '/balancers/nowhere/backends', { backends: [] }],
      ['POST', '/balancers/nowhere/backends', c],
      ['POST', '/balancers/nowhere/explain', {}],
      ['POST', '/balancers/nowhere/rollback', { revision: 1 }],
    ] as const)
      assert.equal((await ask(method, path, given)).status, 404, path)
  })
})

describe('If-Match', () => {
  test('a stale one is answered with the current list, and changes nothing', async (t) => {
    const { ask, list, told } = await stage(t)
    const stale = { 'if-match': '"0"' }
    for (const [method, path, given] of [
      ['PUT', backends, { backends: [] }],
      ['PUT', `${backends}?dryRun=true`, { backends: [] }],
      ['POST', backends, c],
      ['PATCH', `${backends}/a`, { weight: 3 }],
      ['DELETE', `${backends}/a`],
      ['PUT', `${backends}/a/state`, { state: 'drain' }],
      ['POST', '/balancers/default/rollback', { revision: 1 }],
    ] as const) {
      const { status, body, headers } = await ask(method, path, given, stale)
      assert.deepEqual([status, body.code, headers.etag], [412, 'FST_BALANCER_STALE_REVISION', '"1"'], path)
      assertIs(FaultView, body)
      assert.deepEqual(
        body.current.backends.map((one: any) => one.id),
        ['a', 'b'],
      )
    }
    assert.deepEqual([list(), told], [['a 1', 'b 2'], []])
  })

  test('takes a list, or anything; weak tags match nothing', async (t) => {
    const { ask } = await stage(t)
    const statusOf = async (tag: string) =>
      (await ask('PUT', `${backends}?dryRun=true`, { backends: [] }, { 'if-match': tag })).status
    assert.deepEqual(
      await Promise.all(['"1"', '*', '"7", "1"', 'W/"1"', '"2"', '1', '"1', ''].map(statusOf)),
      [200, 200, 200, 412, 412, 400, 400, 400],
    )
  })
})

describe('rollback', () => {
  test('makes the list what it was, as a new revision', async (t) => {
    const { app, ask, list } = await stage(t)
    await ask('PUT', backends, { backends: [c] })
    // Whoever changes it.
    await app.balancer.add('http://127.0.0.1:4')
    const { status, body, headers } = await ask('POST', '/balancers/default/rollback', { revision: 1 })
    assert.deepEqual([status, headers.etag, body.revision], [200, '"4"', 4])
    assertIs(SetView, body)
    assert.deepEqual(list(), ['a 1', 'b 2'])
    assert.deepEqual([app.balancer.backend('b').zone, app.balancer.backend('b').tags], ['z', ['canary']])
    assert.deepEqual(
      (await ask('GET', '/balancers/default')).body.revisions.map((one: any) => [one.revision, one.backends]),
      [
        [1, 2],
        [2, 1],
        [3, 2],
        [4, 2],
      ],
    )
  })

  test('the last 20 are kept', async (t) => {
    const { ask } = await stage(t)
    for (let weight = 1; weight <= 20; weight++) await ask('PATCH', `${backends}/a`, { weight })
    const { status, body } = await ask('POST', '/balancers/default/rollback', { revision: 1 })
    assert.deepEqual([status, body.code], [404, 'FST_BALANCER_ADMIN_UNKNOWN_REVISION'])
    assert.equal((await ask('POST', '/balancers/default/rollback', { revision: 2 })).body.backends[0].weight, 1)
    assert.equal((await ask('POST', '/balancers/default/rollback', { revision: 'x' })).status, 400)
  })
})

test('each change is told once, with who, what, before and after', async (t) => {
  const { app, ask, told, log } = await stage(t, {
    admin: { insecure: true, user: ({ headers }) => String(headers['x-user']) },
  })
  const as = { 'x-user': 'ann' }
  await ask('PATCH', `${backends}/b`, { weight: 3 }, as)
  await ask('POST', backends, c, as)
  await ask('DELETE', `${backends}/c`, undefined, as)
  await ask('PUT', `${backends}/a/state`, { state: 'drain' }, as)
  await ask('PUT', `${backends}/a/state`, { state: 'drain' }, as)
  await ask('PUT', `${backends}/a/state`, { state: 'drain', deadline: 7000 }, as)
  await ask('PUT', `${backends}/a/state`, { state: 'ready' }, as)
  for (const order of [{ state: 'ready' }, { state: 'drain', grace: 7 }, { state: 'ready' }])
    await ask('PUT', '/server/state', order, as)
  await ask('PUT', backends, { backends: [a] }, as)
  await ask('POST', '/balancers/default/rollback', { revision: 1 }, as)
  const full = (given: object, more = {}) => ({
    protocol: 'http1',
    priority: 0,
    maxInFlight: 1024,
    weight: 1,
    tags: [],
    ...given,
    ...more,
  })
  const facts = told.map(({ at, server, text, ...rest }) => {
    assert.deepEqual([typeof at, server === app.server, text.startsWith('ann ')], ['number', true, true])
    return rest
  })
  const by = { who: 'ann', balancer: 'default' }
  assert.deepEqual(facts, [
    { ...by, what: 'backend.update', backend: 'b', before: full(b), after: full(b, { weight: 3 }), revision: 2 },
    { ...by, what: 'backend.add', backend: 'c', before: undefined, after: full(c), revision: 3 },
    { ...by, what: 'backend.remove', backend: 'c', before: full(c), after: undefined, revision: 4 },
    { ...by, what: 'backend.state', backend: 'a', before: 'ready', after: 'drain', revision: 4 },
    {
      ...{ ...by, what: 'backend.state', backend: 'a', before: 'drain', after: 'drain', revision: 4 },
      terms: { deadline: 7000 },
    },
    { ...by, what: 'backend.state', backend: 'a', before: 'drain', after: 'ready', revision: 4 },
    { who: 'ann', what: 'server.state', before: 'ready', after: 'drain', terms: { grace: 7, close: false } },
    { who: 'ann', what: 'server.state', before: 'drain', after: 'ready' },
    { ...by, what: 'backends.replace', before: [full(a), full(b, { weight: 3 })], after: [full(a)], revision: 5 },
    { ...by, what: 'backends.rollback', before: [full(a)], after: [full(a), full(b)], revision: 6 },
  ])
  const lines = log.all.filter((line) => 'change' in line)
  assert.deepEqual(
    lines.map(({ change }) => change),
    JSON.parse(JSON.stringify(told.map(({ server: _server, text: _text, ...change }) => change))),
  )
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    [
      'ann changed b: weight 2 → 3',
      'ann added c (revision 3)',
      'ann removed c (revision 4)',
      'ann set a: ready → drain (deadline 30 s)',
      'ann set a: drain → drain (deadline 7 s)',
      'ann set a: drain → ready',
      'ann set the server: ready → drain (grace 7 ms)',
      'ann set the server: drain → ready',
      'ann replaced the backends of balancer default (revision 5): removed b',
      'ann rolled back the backends of balancer default (revision 6): added b',
    ],
  )
  assert.equal(app.balancer.set.revision, 6)
})

test('a backend is described as the balancer does it', () => {
  const shape = ({ properties }: { properties: Record<string, any> }) =>
    Object.fromEntries(
      Object.entries(properties).map(([name, { default: _default, description: _description, ...rest }]) => [
        name,
        JSON.parse(JSON.stringify(rest)),
      ]),
    )
  // Keys are no matter of the API.
  const { tls, ...settable } = shape(BackendOptions)
  assert.notEqual(tls, undefined)
  assert.deepEqual(shape(WantedBackend), settable)
})
