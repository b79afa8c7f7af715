import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AllowList } from '../../src/changes/allow-list.ts'
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
  ['https://api.internal', ['https://api.internal', 'https://api.internal:99'], ['http://api.internal']],
  ['*:443', ['https://anything.example'], ['http://anything.example', 'https://x:444']],
]

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
        `backends.2.url: '${metadata}' is not among those that may be added`,
        "backends.3.url: 'http://127.0.0.1:1' is not among those that may be added",
      ],
    ],
  )
  const moved = await ask('PUT', backends, { backends: [{ id: 'a', url: metadata }] })
  assert.equal(moved.status, 400)
  const dry = await ask('PUT', `${backends}?dryRun=true`, { backends: [metadata] })
  assert.equal(dry.body.faults.length, 1)
  const posted = await ask('POST', backends, { url: metadata })
  assert.deepEqual(posted.body.faults, [`url: '${metadata}' is not among those that may be added`])
  assert.deepEqual(list(), ['a 1', 'b 2'])

  assert.equal((await ask('PUT', backends, { backends: [a, 'http://10.0.0.1', 'http://x.internal'] })).status, 200)
  assert.equal((await ask('PATCH', `${backends}/a`, { weight: 3 })).status, 200)
  await app.balancer.setBackends(['http://10.0.0.1'])
  assert.equal((await ask('POST', '/balancers/default/rollback', { revision: 1 })).status, 400)
})
