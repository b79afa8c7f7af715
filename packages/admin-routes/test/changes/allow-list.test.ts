import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowFault, AllowList } from '../../src/changes/allow-list.ts'
import { stage } from '../stage.ts'

const cases: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
  [
    '10.0.0.0/8',
    ['http://10.0.0.1:3000', 'https://10.255.0.1', 'http://0xa.1'],
    ['http://11.0.0.1', 'http://10.0.0.1.evil.example', 'http://ten.example', 'http://[::1]'],
  ],
  ['fd00::/8', ['http://[fd00::1]:80'], ['http://[fe80::1]', 'http://10.0.0.1']],
  ['10.0.0.1', ['http://10.0.0.1:1', 'https://10.0.0.1'], ['http://10.0.0.10']],
  ['[::0:1]:80', ['http://[::1]'], ['http://[::1]:81', 'https://[::1]']],
  [
    '*.internal',
    ['http://a.internal', 'http://a.b.INTERNAL:1'],
    ['http://internal', 'http://.internal', 'http://a.internal.evil.example', 'http://ainternal', 'http://10.0.0.1'],
  ],
  ['api.internal:8080', ['http://api.internal:8080'], ['http://api.internal', 'http://b.api.internal:8080']],
  [
    'http://api.internal',
    ['http://api.internal', 'http://api.internal:80'],
    ['http://api.internal:8080', 'https://api.internal'],
  ],
  ['https://*.internal', ['https://a.internal'], ['https://a.internal:8443', 'http://a.internal', 'https://internal']],
  ['http://*', ['http://anything'], ['http://anything:81', 'https://anything']],
  ['http://[::0:1]/', ['http://[::1]'], ['http://[::1]:81']],
  ['api.internal.', ['http://api.internal:99', 'https://API.internal.'], ['http://internal']],
  ['*.bücher.example', ['http://a.xn--bcher-kva.example'], ['http://bücher.example', 'http://a.bucher.example']],
  ['https://api.internal:08443', ['https://api.internal:8443'], ['https://api.internal']],
  ['*:443', ['https://anything.example'], ['http://anything.example', 'https://x:444']],
]

// Whoever writes an origin means that origin, in whatever spelling.
for (const pattern of [
  'https://bücher.internal',
  'HTTPS://BÜCHER.Internal',
  'https://bücher.internal/',
  'https://bücher.internal:443',
  'https://bücher.internal:443/',
  'https://bücher.internal.',
  'https://xn--bcher-kva.internal',
])
  test(`${pattern} is its default port alone`, () => {
    const list = new AllowList([pattern])
    assert.equal(allowFault(pattern), undefined)
    for (const origin of ['https://bücher.internal', 'https://Bücher.internal.:443'])
      assert.equal(list.allows(origin), true, origin)
    for (const origin of ['https://bücher.internal:8443', 'https://bücher.internal:80', 'http://bücher.internal:443'])
      assert.equal(list.allows(origin), false, origin)
  })

test('what is no pattern is said to be none, without what may be a password', () => {
  for (const pattern of [
    'api.internal/',
    'https://api.internal/path',
    'a b',
    'https://',
    '*.*.internal',
    'a*',
    'x:99999',
  ])
    assert.match(allowFault(pattern) ?? '', /is neither a network/, pattern)
  const fault = allowFault('https://user:secret@api.internal/?token=secret') ?? ''
  assert.match(fault, /is neither a network/)
  assert.doesNotMatch(fault, /secret/)
})

for (const [pattern, yes, no] of cases)
  test(`${pattern} lets pass what it names`, () => {
    const list = new AllowList([pattern])
    assert.deepEqual(
      yes.filter((origin) => !list.allows(origin)),
      [],
    )
    assert.deepEqual(
      no.filter((origin) => list.allows(origin)),
      [],
    )
  })

test('without patterns all may be added, with none nothing', () => {
  assert.equal(new AllowList(undefined).allows('http://a'), true)
  assert.equal(new AllowList([]).allows('http://a'), false)
  assert.equal(new AllowList(['*']).allows('nonsense'), false)
})

test('no route adds what is not allowed; what is there may stay', async (t) => {
  const { app, ask, list } = await stage(t, { admin: { insecure: true, allow: ['10.0.0.0/8', '*.internal'] } })
  const backends = '/balancers/default/backends'
  const a = { id: 'a', url: 'http://127.0.0.1:1' }
  const metadata = 'http://169.254.169.254'
  const put = await ask('PUT', backends, { backends: [a, 'http://10.0.0.1', metadata, { ...a, id: 'c' }] })
  assert.deepEqual(
    [put.status, put.body.faults],
    [
      400,
      [
        `backends.2.url: '${metadata}' is not allowed by the admin option 'allow'`,
        "backends.3.url: 'http://127.0.0.1:1' is not allowed by the admin option 'allow'",
      ],
    ],
  )
  const moved = await ask('PUT', backends, { backends: [{ id: 'a', url: metadata }] })
  assert.equal(moved.status, 400)
  const dry = await ask('PUT', `${backends}?dryRun=true`, { backends: [metadata] })
  assert.equal(dry.body.faults.length, 1)
  const posted = await ask('POST', backends, { url: metadata })
  assert.deepEqual(posted.body.faults, [`url: '${metadata}' is not allowed by the admin option 'allow'`])
  // Without `http://` they are the same.
  for (const address of ['169.254.169.254:80', 'evil.example:80', '[::1]:80']) {
    for (const item of [address, { url: address }]) {
      assert.equal((await ask('PUT', backends, { backends: [a, item] })).status, 400, address)
      assert.equal((await ask('POST', backends, { url: address })).status, 400, address)
    }
  }
  assert.deepEqual(list(), ['a 1', 'b 2'])

  assert.equal((await ask('PUT', backends, { backends: [a, 'http://10.0.0.1', 'http://x.internal'] })).status, 200)
  assert.equal((await ask('PATCH', `${backends}/a`, { weight: 3 })).status, 200)
  await app.balancer.setBackends(['http://10.0.0.1'])
  assert.equal((await ask('POST', '/balancers/default/rollback', { revision: 1 })).status, 400)
})
