import type { ReloadNotice } from '@fastify-balancer/admin-routes'
import type { Mirror } from '@fastify-balancer/mirror'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { elsewhere, localhost } from '../../../../test/support/certificates.ts'
import { until } from '../../../../test/support/until.ts'
import { askSecurely } from '../server/running.ts'
import { described, folderOf, reloading } from './reloading.ts'

async function addresses(t: TestContext, ...names: string[]) {
  const started = await startBackends(t, ...names)
  return names.map((id, index) => ({ id, url: started[index]!.url }))
}

/** Every reload that is told while the test runs. */
function notices(t: TestContext): ReloadNotice[] {
  const told: ReloadNotice[] = []
  const hear = (notice: unknown) => void told.push(notice as ReloadNotice)
  subscribe('fastify-balancer:reload', hear)
  t.after(() => unsubscribe('fastify-balancer:reload', hear))
  return told
}

const changesIn = ({ changes }: { readonly changes: readonly { readonly option: string }[] }) =>
  changes.map(({ option }) => option)

describe('a reload', () => {
  test('tells every change, and what has to wait for a restart', async (t) => {
    const [a, b] = await addresses(t, 'a', 'b')
    const { reload, server, url } = await reloading(t, described({ name: 'web', backends: [a], healthCheck: false }))
    const told = notices(t)
    const report = await reload({
      ...described(
        { name: 'web', prefix: '/v2', backends: [{ ...a, weight: 5 }, b], timeouts: { headers: 5000 } },
        { name: 'api', prefix: '/api', backends: [b] },
      ),
      listen: [{ port: 1, host: '127.0.0.1' }],
    })
    assert.deepEqual(report.faults, [])
    assert.deepEqual(report.changes, [
      { option: 'balancers.web.backends.b', from: undefined, to: 'added' },
      { option: 'balancers.web.backends.a.weight', from: 1, to: 5 },
      { option: 'balancers.web.timeouts.headers', from: 30_000, to: 5000 },
      { option: 'balancers.web.healthCheck', from: false, to: true },
    ])
    assert.deepEqual(
      report.cannot.map(({ option, from, to }) => [option, from, to]),
      [
        ['listen.0.port', 0, 1],
        ['balancers.api', undefined, 'added'],
        ['balancers.web.prefix', '/', '/v2'],
      ],
    )
    assert.deepEqual(
      told.map((notice) => notice.report),
      [report],
    )
    assert.equal((await ask(url)).status, 200)
    assert.equal(server.balancers.get('web')!.extensions.has('health-check'), true)
    // The same again changes nothing, and goes on naming what has to wait.
    const again = await reload()
    assert.deepEqual([again.applied, again.changes, again.cannot.length], [true, [], 3])
  })

  test('brings a mirror, changes it and takes it away', async (t) => {
    const [a, copies] = await addresses(t, 'a', 'mirror')
    const { reload, server, url } = await reloading(t, described({ name: 'web', backends: [a] }))
    const web = server.balancers.get('web')!
    const views = () => (web.extensions.get('mirror') as Mirror | undefined)?.views
    const { length: others } = web.hooks.onAttemptStart
    assert.equal(views(), undefined)
    const withMirror = (mirror: object | false) => described({ name: 'web', backends: [a], mirror })
    const come = await reload(withMirror({ to: [copies!.url] }))
    assert.deepEqual(come.changes, [{ option: 'balancers.web.mirror', from: false, to: true }])
    assert.equal(web.hooks.onAttemptStart.length, others + 1)
    await ask(url)
    await until('the copy has ended', () => views()![0]!.outcomes['2xx'] === 1)
    const changed = await reload(withMirror({ to: [copies!.url], share: 0 }))
    assert.deepEqual(changed.changes, [{ option: 'balancers.web.mirror.share', from: 1, to: 0 }])
    await ask(url)
    assert.equal(views()![0]!.sent, 1)
    const gone = await reload(described({ name: 'web', backends: [a] }))
    assert.deepEqual(gone.changes, [{ option: 'balancers.web.mirror', from: true, to: false }])
    assert.deepEqual([views(), web.hooks.onAttemptStart.length], [undefined, others])
  })

  test('with a fault names its line and column, and changes nothing', async (t) => {
    const [a] = await addresses(t, 'a')
    const { reload, server, file } = await reloading(t, described({ name: 'web', backends: [a] }))
    const before = server.balancers.get('web')!.options
    const told = notices(t)
    const report = await reload(`balancers:\n  - name: web\n    backends: [${a!.url}]\n    polcy: p2c\n`)
    assert.equal(report.applied, false)
    assert.match(report.faults.join(), new RegExp(`^${file}:4:5: balancers.0.polcy: `))
    assert.deepEqual(
      told.map((notice) => notice.report.applied),
      [false],
    )
    assert.equal(server.balancers.get('web')!.options, before)
  })

  test('changes no balancer where one of them refuses', async (t) => {
    const [a, b] = await addresses(t, 'a', 'b')
    const { reload, server, file } = await reloading(
      t,
      described({ name: 'one', backends: [a] }, { name: 'two', prefix: '/two', backends: [b] }),
    )
    const balancers = [...server.balancers.values()]
    const before = balancers.map(({ options }) => options)
    const report = await reload(
      `listen: [{ port: 0 }]
balancers:
  - { name: one, policy: p2c, backends: [{ id: b, url: "${b!.url}" }] }
  - { name: two, prefix: /two, backends: [] }
`,
    )
    assert.deepEqual(report.faults, [
      `${file}:4:42: balancers.1.backends: no backend would be usable (the list is empty)`,
    ])
    assert.deepEqual(
      balancers.map(({ options }) => options),
      before,
    )
    assert.deepEqual(
      balancers.map(({ backends }) => backends.map(({ id }) => id)),
      [['a'], ['b']],
    )
    const forced = await reload(undefined, { force: true })
    assert.equal(forced.applied, true)
    assert.equal(server.balancers.get('two')!.backends.length, 0)
  })

  test('that is a dry run tells the same, and changes nothing', async (t) => {
    const [a, b] = await addresses(t, 'a', 'b')
    const { reload, server } = await reloading(t, described({ name: 'web', backends: [a] }))
    const told = notices(t)
    const wanted = described({ name: 'web', backends: [a, b] })
    const dry = await reload(wanted, { dryRun: true })
    assert.deepEqual([dry.applied, changesIn(dry)], [false, ['balancers.web.backends.b']])
    assert.equal(server.balancers.get('web')!.backends.length, 1)
    assert.deepEqual(told, [])
    const report = await reload()
    assert.deepEqual(changesIn(report), changesIn(dry))
    assert.equal(server.balancers.get('web')!.backends.length, 2)
  })
})

describe('what was changed through the admin API', () => {
  test('is replaced by the list of the file, and that is told; orders stay', async (t) => {
    const [a, b, c] = await addresses(t, 'a', 'b', 'c')
    const file = described({ name: 'web', backends: [a, b] })
    const { reload, server } = await reloading(t, file)
    const web = server.balancers.get('web')!
    await web.update('a', { weight: 7 })
    await web.add(c!)
    void web.drain('b', { deadline: 0 })
    const report = await reload()
    assert.deepEqual(report.changes, [
      { option: 'balancers.web.backends.c', from: 'removed', to: undefined, overrides: true },
      { option: 'balancers.web.backends.a.weight', from: 7, to: 1, overrides: true },
    ])
    assert.deepEqual(
      web.backends.map(({ id, weight, state }) => [id, weight, state]),
      [
        ['a', 1, 'ready'],
        ['b', 1, 'drain'],
      ],
    )
  })

  test('names a token that an admin API without authentication only gets by a restart', async (t) => {
    const [a] = await addresses(t, 'a')
    const open = { ...described({ name: 'web', backends: [a] }), admin: { insecure: true } }
    const { reload, url } = await reloading(t, open)
    const report = await reload({ ...open, admin: { token: 'a-token-of-sixteen' } })
    assert.deepEqual(report.changes, [])
    assert.deepEqual(
      report.cannot.map(({ option, why }) => [option, why]),
      [
        ['admin.insecure', 'routes are registered when the app starts'],
        ['admin.token', 'the admin API was started with `insecure: true`, and is open until a restart'],
      ],
    )
    assert.equal((await ask(`${url}/_balancer/balancers`)).status, 200)
  })

  test('stays where only a file has changed that the file names', async (t) => {
    const [a, b] = await addresses(t, 'a', 'b')
    const folder = await folderOf(t)
    await writeFile(join(folder, 'token'), 'the-first-token-of-all')
    const text = { ...described({ name: 'web', backends: [a] }), admin: { token: { file: 'token' } } }
    const { reload, server, url } = await reloading(t, text, folder)
    const web = server.balancers.get('web')!
    await web.add(b!)
    await writeFile(join(folder, 'token'), 'the-second-token-of-all')
    const report = await reload(undefined, { isAutomatic: true })
    assert.deepEqual(report.changes, [{ option: 'admin.token', from: '(hidden)', to: '(hidden)' }])
    assert.equal(web.backends.length, 2)
    const statusOf = async (token: string) =>
      (await ask(`${url}/_balancer/balancers`, { headers: { authorization: `Bearer ${token}` } })).status
    assert.deepEqual([await statusOf('the-second-token-of-all'), await statusOf('the-first-token-of-all')], [200, 401])
    // A reload by hand applies the list of the file.
    await reload()
    assert.equal(web.backends.length, 1)
  })

  test('without a change gets a line only if the one before was refused', async (t) => {
    const [a] = await addresses(t, 'a')
    const text = described({ name: 'web', backends: [a] })
    const { reload } = await reloading(t, text)
    const told = notices(t)
    await reload(text, { isAutomatic: true })
    assert.equal(told.length, 0)
    await reload('balancers: [', { isAutomatic: true })
    await reload(text, { isAutomatic: true })
    await reload(text, { isAutomatic: true })
    assert.deepEqual(
      told.map(({ report }) => report.applied),
      [false, true],
    )
    assert.equal(told[1]!.report.summary, 'reloaded (test): nothing has changed')
  })

  test('is not what a restart begins with, once the file was reloaded', async (t) => {
    const [a, b] = await addresses(t, 'a', 'b')
    const folder = await folderOf(t)
    const saved = async () =>
      (JSON.parse(await readFile(join(folder, 'saved.json'), 'utf8')) as { balancers: Record<string, unknown> })
        .balancers
    const text = {
      ...described({ name: 'web', backends: [a] }),
      admin: { token: 'a-token-that-is-long', persist: 'saved.json' },
    }
    const { url } = await reloading(t, text, folder)
    const authorized = { authorization: 'Bearer a-token-that-is-long' }
    const admin = (method: string, path: string, body?: object) =>
      ask(`${url}/_balancer${path}`, {
        method,
        headers: { ...authorized, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    assert.equal((await admin('POST', '/balancers/web/backends', b)).status, 201)
    assert.deepEqual(Object.keys(await saved()), ['web'])
    const answer = await admin('POST', '/reload')
    assert.equal(answer.status, 200)
    assert.deepEqual(changesIn(JSON.parse(answer.body) as { changes: { option: string }[] }), [
      'balancers.web.backends.b',
    ])
    assert.deepEqual(await saved(), {})
    // An order outlives both.
    assert.equal((await admin('PUT', '/balancers/web/backends/a/state', { state: 'drain', deadline: 0 })).status, 200)
    assert.equal((await admin('POST', '/reload')).status, 200)
    assert.match(JSON.stringify(await saved()), /"id":"a".*"state":"drain"/)
  })
})

test('a certificate that is renewed is used by the next connection; one that cannot be used changes nothing', async (t) => {
  const [a] = await addresses(t, 'a')
  const folder = await folderOf(t)
  const put = async ({ cert, key }: { cert: string; key: string }) => {
    await writeFile(join(folder, 'cert.pem'), cert)
    await writeFile(join(folder, 'key.pem'), key)
  }
  await put(localhost)
  const text = (policy: string) => ({
    ...described({ name: 'web', policy, backends: [a] }),
    listen: [{ port: 0, host: '127.0.0.1', tls: { cert: 'cert.pem', key: 'key.pem' } }],
  })
  const { reload, server, url } = await reloading(t, text('p2c'), folder)
  const { subject } = await askSecurely(url)
  await put({ cert: elsewhere.cert, key: localhost.key })
  const refused = await reload(text('random'))
  assert.match(refused.faults.join(), /balancer\.yaml:\d+:\d+: listen\.0\.tls.*belong/)
  assert.deepEqual([(await askSecurely(url)).subject, server.balancers.get('web')!.policy.name], [subject, 'p2c'])
  await put(elsewhere)
  const report = await reload()
  assert.deepEqual(changesIn(report), ['listen.0.tls', 'balancers.web.policy'])
  const { subject: now, body } = await askSecurely(url)
  assert.notEqual(now, subject)
  assert.equal(body, 'a')
})

test('a listener keeps its certificate when the file lists it elsewhere, or no more', async (t) => {
  const [a] = await addresses(t, 'a')
  const folder = await folderOf(t)
  for (const [name, { cert, key }] of Object.entries({ localhost, elsewhere })) {
    await writeFile(join(folder, `${name}.cert`), cert)
    await writeFile(join(folder, `${name}.key`), key)
  }
  const one = (host: string, name: string) => ({ port: 0, host, tls: { cert: `${name}.cert`, key: `${name}.key` } })
  const [first, second] = [one('127.0.0.1', 'localhost'), one('127.0.0.2', 'elsewhere')]
  const text = (...listen: readonly object[]) => ({ ...described({ name: 'web', backends: [a] }), listen })
  const { reload, server } = await reloading(t, text(first, second), folder)
  const subjects = () => Promise.all(server.listeners.map(async ({ address }) => (await askSecurely(address!)).subject))
  const before = await subjects()
  for (const listen of [[second, first], [second]]) {
    const report = await reload(text(...listen))
    assert.deepEqual([report.applied, changesIn(report)], [true, []])
    assert.deepEqual(await subjects(), before)
  }
  const moved = await reload(text(one('127.0.0.2', 'localhost'), first))
  assert.deepEqual(changesIn(moved), ['listen.0.tls'])
  assert.deepEqual(await subjects(), [before[0], before[0]])
})

test('secrets are never told', async (t) => {
  const [a] = await addresses(t, 'a')
  const text = (secret: string) => ({
    ...described({
      name: 'web',
      backends: [a],
      healthCheck: { headers: { 'x-key': secret } },
      pool: { tls: { passphrase: secret } },
    }),
    admin: { token: `token-${secret}` },
  })
  const { reload } = await reloading(t, text('hush-hush'))
  const report = await reload(text('quiet-quiet'))
  assert.deepEqual(changesIn(report), [
    'admin.token',
    'balancers.web.pool.tls.passphrase',
    'balancers.web.healthCheck.headers.x-key',
  ])
  assert.doesNotMatch(JSON.stringify(report), /hush|quiet/)
})

test('reloads take turns', async (t) => {
  const [a, b] = await addresses(t, 'a', 'b')
  const { reload, server, file } = await reloading(t, described({ name: 'web', backends: [a] }))
  // Whole before anybody reads it.
  await writeFile(file, JSON.stringify(described({ name: 'web', backends: [a, b] })))
  const reports = await Promise.all([reload(undefined), reload(undefined), reload(undefined, { dryRun: true })])
  assert.deepEqual(
    reports.map(({ applied, faults }) => [applied, faults]),
    [
      [true, []],
      [true, []],
      [false, []],
    ],
  )
  assert.equal(server.balancers.get('web')!.backends.length, 2)
})
