import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import balancer, { type BalancerOptions } from '../../src/index.ts'
import { check } from '../../src/check/check.ts'
import { folderWith } from '../configuration/file-on-disk.ts'
import { described, folderOf, reloading } from '../reload/reloading.ts'

const secret = 'open-sesame-swordfish'
const next = 'abracadabra-abracadabra'

async function start(t: TestContext, options: BalancerOptions) {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } })
  const backends = await startBackends(t, 'a', 'b', 'c')
  const list = backends.map(({ url }, index) => ({ url, id: 'abc'[index]! }))
  await app.register(balancer, { backends: list, healthCheck: false, admin: { insecure: true }, ...options })
  return { ...(await listenApp(t, app)), lines }
}

/** The token cookie of an answer, as it is sent back. */
const cookieOf = ({ headers }: Awaited<ReturnType<typeof ask>>) => headers['set-cookie']?.[0]?.split(';')[0]

test('`sticky` wraps whatever `policy` says', async (t) => {
  for (const policy of ['round-robin', 'p2c', { name: 'peak-ewma', decay: 5 }] as const) {
    const { app, url } = await start(t, { policy, sticky: { cookie: 'lb', secret: [secret] } })
    const name = typeof policy === 'string' ? policy : policy.name
    assert.partialDeepStrictEqual(app.balancer.explain().policy, {
      name: 'sticky',
      policy: name,
      bound: null,
      isGone: false,
    })
    const first = await ask(url)
    const cookie = cookieOf(first)!
    assert.match(cookie, /^lb=/)
    for (let round = 0; round < 4; round++) assert.equal((await ask(url, { headers: { cookie } })).body, first.body)
    const { body } = await ask(`${url}/_balancer/balancers/default/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ headers: { Cookie: cookie } }),
    })
    const { picked, policy: told } = JSON.parse(body) as { picked: string; policy: { bound: string } }
    assert.deepEqual([picked, told.bound], [first.body, first.body])
  }
})

test('neither views nor the log show the secret, nor does an error', async (t) => {
  const { app, url, lines } = await start(t, { sticky: { secret: [secret, next] }, metrics: true, dashboard: true })
  const texts = [
    ...(await Promise.all(
      ['balancers', 'balancers/default', 'balancers/default/backends', 'openapi.json'].map(
        async (path) => (await ask(`${url}/_balancer/${path}`)).body,
      ),
    )),
    (await ask(`${url}/metrics`)).body,
    JSON.stringify(app.balancer),
    JSON.stringify(app.balancer.explain()),
  ]
  const wanted = [
    { sticky: { secret: [secret, 'short'] } },
    { sticky: { secret } },
    { sticky: secret },
    { sticky: { secret: [secret], cookie: 'a b' } },
    { sticky: { secret: [secret] }, policy: { name: 'sticky', secret: [next] } },
  ] as unknown as BalancerOptions[]
  for (const options of wanted) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await assert.rejects(start(t, options), ({ message }: Error) => {
      texts.push(message)
      return message.includes('sticky')
    })
  }
  const shown = [...texts, ...lines].filter((text) => [secret, next, 'short'].some((one) => text.includes(one)))
  assert.deepEqual(shown, [])
})

test('faults are told as those of `sticky`', async (t) => {
  const faulty = [
    [true, /sticky: needs a secret/],
    [5, /sticky: expected an object, true or false, got 5/],
    [{}, /sticky\.secret: expected an array that is not empty, got nothing/],
    // What YAML makes of digits without quotes.
    [{ secret: [1234567890123456] }, /sticky\.secret\.0: expected a string of at least 16 characters, got a number$/],
    [{ secret: ['short'] }, /sticky\.secret\.0: expected a string of at least 16 characters, got a string/],
    [{ secret: [secret], cookie: 'a', header: 'b' }, /sticky\.header: give `cookie` or `header`, not both/],
    [{ secret: [secret], policy: 'p2c' }, /sticky\.policy: unknown option/],
  ] as const
  for (const [sticky, message] of faulty)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await assert.rejects(start(t, { sticky: sticky as never }), message)
  await assert.rejects(
    start(t, { sticky: { secret: [secret] }, policy: { name: 'sticky', secret: [secret] } }),
    /sticky: the `policy` is sticky already/,
  )
})

/** What a file says of the balancer over these. */
const inFile = (backends: readonly { url: string }[], further: object) =>
  described({
    backends: backends.map(({ url }, index) => ({ url, id: 'abc'[index]! })),
    healthCheck: false,
    ...further,
  })

test('in a file: a secret from a file beside it, another by a reload, and nobody loses their backend', async (t) => {
  const backends = await startBackends(t, 'a', 'b', 'c')
  const folder = await folderOf(t)
  await writeFile(join(folder, 'secret'), `${secret}\n`)
  const sticky = (...secrets: readonly object[]) => ({ sticky: { secret: secrets } })
  const { url, reload } = await reloading(t, inFile(backends, sticky({ file: 'secret' })), folder)
  await ask(url)
  const first = await ask(url)
  let cookie = cookieOf(first)!
  await writeFile(join(folder, 'next'), `${next}\n`)
  const rotated = await reload(inFile(backends, sticky({ file: 'next' }, { file: 'secret' })))
  assert.deepEqual(
    rotated.changes.map(({ option, from, to }) => [option, from, to]),
    [['balancers.default.sticky.secret', '(hidden)', '(hidden)']],
  )
  const second = await ask(url, { headers: { cookie } })
  assert.deepEqual([second.body, cookieOf(second) === undefined], [first.body, false])
  cookie = cookieOf(second)!
  const removed = await reload(inFile(backends, sticky({ file: 'next' })))
  const third = await ask(url, { headers: { cookie } })
  assert.deepEqual([third.body, cookieOf(third)], [first.body, undefined])
  const policies = await reload(inFile(backends, { ...sticky({ file: 'next' }), policy: 'p2c' }))
  assert.deepEqual(
    policies.changes.map(({ option, to }) => [option, to]),
    [['balancers.default.policy.name', 'p2c']],
  )
  assert.equal((await ask(url, { headers: { cookie } })).body, first.body)
  const off = await reload(inFile(backends, { policy: 'p2c' }))
  assert.equal(cookieOf(await ask(url)), undefined)
  const on = await reload(inFile(backends, { ...sticky({ file: 'next' }), policy: 'p2c' }))
  const told = ({ changes }: typeof on) => changes.map(({ option, from, to }) => [option, from, to])
  assert.deepEqual(told(off), [['balancers.default.sticky', true, false]])
  assert.deepEqual(told(on), [['balancers.default.sticky', false, true]])
  assert.equal((await ask(url, { headers: { cookie } })).body, first.body)
  assert.deepEqual(told(await reload(inFile(backends, { policy: 'random' }))), [
    ['balancers.default.sticky', true, false],
    ['balancers.default.policy', 'p2c', 'random'],
  ])
  const bad = await reload(inFile(backends, { sticky: { secret: ['short-one'] } }))
  assert.equal(bad.faults.length, 1)
  const printed = JSON.stringify([rotated, removed, policies, off, on, bad])
  assert.deepEqual(
    [secret, next, 'short-one'].filter((one) => printed.includes(one)),
    [],
  )
})

test('a policy named `sticky` in a file hides its secret, too', async (t) => {
  const backends = await startBackends(t, 'a')
  const named = (...secrets: readonly string[]) => inFile(backends, { policy: { name: 'sticky', secret: secrets } })
  const { reload } = await reloading(t, named(secret))
  const { changes } = await reload(named(next, secret))
  assert.deepEqual(
    changes.map(({ option, from, to }) => [option, from, to]),
    [['balancers.default.policy.secret', '(hidden)', '(hidden)']],
  )
})

test('`check` shows the settings, and not the secret', async (t) => {
  const folder = await folderWith(t, {
    'site.yaml': `
balancers:
  - backends: [http://127.0.0.1:3001]
    sticky: { cookie: lb, secret: ["\${SECRET}", { file: old }, in-the-file-itself] }
  - backends: [http://127.0.0.1:3001]
    name: other
    prefix: /other
    policy: { name: sticky, secret: [in-the-file-itself] }
`,
    old: `${next}\n`,
  })
  const run = async (env: Record<string, string>) => {
    const printed = { out: '', err: '' }
    const out = (one: string) => void (printed.out += one)
    const err = (one: string) => void (printed.err += one)
    const code = await check(join(folder, 'site.yaml'), { env, out, err, excerpts: false, colors: false })
    return { code, ...printed }
  }
  const { code, out, err } = await run({ SECRET: secret })
  assert.equal(code, 0, err)
  assert.match(out, /cookie: lb/)
  assert.match(out, /whenGone: redistribute/)
  const short = await run({ SECRET: 'short-one' })
  assert.equal(short.code, 1)
  assert.match(short.err, /SECRET/)
  const told = out + err + short.out + short.err
  assert.deepEqual(
    [secret, next, 'in-the-file-itself', 'short-one'].filter((one) => told.includes(one)),
    [],
  )
  assert.match(await readFile(join(folder, 'old'), 'utf8'), /abra/)
})
