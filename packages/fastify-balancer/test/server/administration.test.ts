import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { ask, type Answer } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import type { AdminConfiguration } from '../../src/configuration/configuration.ts'
import { buildServer } from '../../src/server/running-server.ts'
import { anyPort, configured, run } from './running.ts'

const token = 'a-token-of-32-letters-or-even-more'
const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
const forbidden = { 'x-forwarded-for': '192.0.2.1' }

function passwordFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'passwords-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'htpasswd'), text)
  return join(folder, 'htpasswd')
}

const ada = `ada:{SHA}${createHash('sha1').update('secret').digest('base64')}\n`

function statusAt(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, (response) => resolve(response.resume().statusCode!))
      .on('error', reject)
      .end()
  })
}

/** Runs one balancer with everything around it. */
async function start(t: TestContext, admin: AdminConfiguration | false = {}, listen = [anyPort]) {
  const [one] = await startBackends(t, 'backend')
  const dashboard = admin === false ? false : {}
  const running = await run(t, configured([{ backends: [one!.url] }], { admin, dashboard, metrics: {}, listen }))
  return { ...running, url: running.urls[0]! }
}

const everything = ['/_balancer/balancers', '/_balancer/dashboard/', '/metrics']

async function statusesOf(url: string, headers = {}): Promise<number[]> {
  const answers: Answer[] = await Promise.all(everything.map((path) => ask(url + path, { headers })))
  return answers.map(({ status }) => status)
}

test('without a token, only this machine may: not by another name, and not through a proxy', async (t) => {
  const { url } = await start(t)
  assert.deepEqual(await statusesOf(url), [200, 200, 200])
  assert.deepEqual(await statusesOf(url, forbidden), [403, 403, 403])
  assert.deepEqual(await statusesOf(url, { host: 'evil.example' }), [403, 403, 403])
  assert.match(
    (await ask(`${url}/metrics`, { headers: forbidden })).body,
    /an admin token or a file of passwords opens it/,
  )
})

test('metrics alone are for this machine only, too', async (t) => {
  const { url } = await start(t, false)
  assert.equal((await ask(`${url}/metrics`)).status, 200)
  assert.equal((await ask(`${url}/metrics`, { headers: forbidden })).status, 403)
  assert.equal((await ask(`${url}/_balancer/balancers`)).body, 'backend')
})

test('admin.insecure opens it', async (t) => {
  const { url } = await start(t, { insecure: true })
  assert.deepEqual(await statusesOf(url, forbidden), [200, 200, 200])
})

test('a token opens it to clients anywhere: as a bearer token, or as the password in a browser', async (t) => {
  const { url } = await start(t, { token })
  assert.deepEqual(await statusesOf(url), [401, 401, 401])
  for (const authorization of [`Bearer ${token}`, `bearer ${token}`, basic('any', token)])
    assert.deepEqual(await statusesOf(url, { ...forbidden, authorization }), [200, 200, 200], authorization)
  for (const authorization of [`Bearer ${token}x`, 'Bearer', 'Bearer ', basic('any', ''), basic(token, ''), 'Digest x'])
    assert.deepEqual(await statusesOf(url, { authorization }), [401, 401, 401], authorization)
})

test('a refusal says how to sign in: a browser opens its dialogue', async (t) => {
  const { url } = await start(t, { token })
  const challenge = async (headers = {}) =>
    (await ask(`${url}/_balancer/balancers`, { headers })).headers['www-authenticate']
  assert.equal(await challenge(), 'Basic realm="fastify-balancer", charset="UTF-8"')
  assert.match(String(await challenge({ authorization: 'Bearer x' })), /^Bearer /)
  assert.match(String(await challenge({ authorization: basic('a', 'b') })), /^Basic /)
})

test('with a file of passwords, its users may, and the log names them', async (t) => {
  const { url, server } = await start(t, { basicAuth: passwordFile(t, ada) })
  assert.deepEqual(await statusesOf(url, { authorization: basic('ada', 'secret') }), [200, 200, 200])
  for (const [name, password] of [
    ['ada', 'wrong'],
    ['bob', 'secret'],
  ] as const)
    assert.deepEqual(await statusesOf(url, { authorization: basic(name, password) }), [401, 401, 401])
  assert.deepEqual(await statusesOf(url), [401, 401, 401])
  assert.deepEqual(await statusesOf(url, { authorization: 'Bearer secret' }), [401, 401, 401])
  // What a reload does.
  server.guard!.access = { token }
  assert.deepEqual(await statusesOf(url, { authorization: basic('ada', 'secret') }), [401, 401, 401])
  assert.deepEqual(await statusesOf(url, { authorization: `Bearer ${token}` }), [200, 200, 200])
})

describe('what cannot be used is told before anything listens', () => {
  const refused = (admin: AdminConfiguration) => buildServer(configured([{ backends: [] }], { admin }))

  test('a file of passwords', async (t) => {
    const file = passwordFile(t, 'ada:plain')
    await assert.rejects(refused({ basicAuth: file }), {
      exitCode: 2,
      message: /htpasswd:1: the password of 'ada' is not hashed/,
    })
    await assert.rejects(
      refused({ basicAuth: '/nowhere' }),
      /cannot read the file of passwords \/nowhere: there is no such file/,
    )
  })

  test('a token', async () => {
    await assert.rejects(refused({ token: '' }), /the admin token is empty/)
    await assert.rejects(refused({ token: 'a b' }), /the admin token has spaces/)
  })

  test('options of a balancer', async () => {
    await assert.rejects(buildServer(configured([{ backends: ['ftp://a'] }])), { exitCode: 2 })
  })
})

test('/_balancer and /_balancer/ lead to the page, for clients that may see it', async (t) => {
  const { url } = await start(t, { token })
  const headers = { authorization: `Bearer ${token}` }
  for (const path of ['/_balancer', '/_balancer/', '/_balancer/?from=here']) {
    const { status, headers: answered } = await ask(url + path, { headers })
    assert.equal(status, 302, path)
    const page = new URL(String(answered['location']), url + path)
    assert.equal(page.pathname, '/_balancer/dashboard/')
    assert.equal((await ask(page.href, { headers })).status, 200)
    assert.equal((await ask(url + path)).status, 401)
  }
})

test('a balancer whose constraints would go first takes none of its requests, at any listener', async (t) => {
  const [one] = await startBackends(t, 'backend')
  const balancers = [{ backends: [one!.url], constraints: { version: '1.0.0' } }]
  const { urls } = await run(t, configured(balancers, { admin: {}, metrics: {}, listen: [anyPort, anyPort] }))
  const headers = { 'accept-version': '1.0.0' }
  for (const url of urls) {
    assert.equal((await ask(`${url}/other`, { headers })).body, 'backend')
    assert.equal((await ask(`${url}/_balancer/balancers`, { headers })).status, 404)
    assert.equal((await ask(`${url}/_balancer/balancers`)).status, 200)
  }
})

test('what the admin API refuses to start with is one line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'persist-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const admin = { persist: join(folder, 'no-such-folder', 'lists.json') }
  await assert.rejects(run(t, configured([{ backends: [] }], { admin })), { exitCode: 2 })
  const below = [{ backends: [], prefix: '/_balancer/x' }]
  await assert.rejects(run(t, configured(below, { admin: {} })), { exitCode: 2, message: /would take requests/ })
})

describe('the admin API with a listener of its own', () => {
  test('may be a Unix socket, whose file says who may use it', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'admin-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const listen = { path: join(folder, 'socket') }
    const { url } = await start(t, { listen })
    assert.equal(await statusAt(listen.path, '/_balancer/balancers'), 200)
    assert.equal((await ask(`${url}/_balancer/balancers`)).body, 'backend')
    // Clients of a socket that forwards may come through a proxy, from anywhere.
    const shared = { path: join(folder, 'shared') }
    await start(t, {}, [shared])
    assert.equal(await statusAt(shared.path, '/_balancer/balancers'), 403)
  })

  test('is there alone, and nothing is forwarded from there', async (t) => {
    const { urls } = await start(t, { listen: anyPort }, [anyPort, anyPort])
    const [first, second, admin] = urls
    for (const url of [first!, second!])
      for (const path of everything) assert.equal((await ask(url + path)).body, 'backend')
    assert.deepEqual(await statusesOf(admin!), [200, 200, 200])
    assert.equal((await ask(`${admin}/other`)).status, 404)
    assert.match((await ask(`${admin}/metrics`)).body, /fastify_balancer_requests_total\{[^}]*\} 6\n/)
  })

  test('answers until the requests in flight have ended', async (t) => {
    const { server, urls } = await start(t, { listen: anyPort })
    const balancer = server.balancers.get('default')!
    balancer.enter()
    const closed = server.close()
    await until('it closes', () => balancer.closing)
    assert.equal((await ask(`${urls[1]}/_balancer/ready`)).status, 503)
    assert.equal((await ask(`${urls[1]}/metrics`)).status, 200)
    balancer.leave()
    await closed
    assert.equal((await ask(`${urls[1]}/metrics`)).status, 0)
  })
})

test('without one, every listener has it: it is the same one', async (t) => {
  const { urls } = await start(t, { token }, [anyPort, anyPort])
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  for (const url of urls) assert.deepEqual(await statusesOf(url, headers), [200, 200, 200])
  assert.deepEqual(await statusesOf(urls[1]!), [401, 401, 401])
  assert.equal((await ask(`${urls[1]}/_balancer/nothing`, { headers })).status, 404)
  const id = encodeURIComponent(
    JSON.parse((await ask(`${urls[0]}/_balancer/balancers/default/backends`, { headers })).body).backends[0].id,
  )
  const place = `/_balancer/balancers/default/backends/${id}`
  const changed = await ask(`${urls[1]}${place}`, { method: 'PATCH', headers, body: '{"weight":7}' })
  assert.equal(changed.status, 200)
  assert.equal(JSON.parse((await ask(`${urls[0]}${place}`, { headers })).body).weight, 7)
})

test('the admin API can stop the whole server: every listener closes', async (t) => {
  for (const admin of [{ listen: anyPort }, {}]) {
    const { server, urls } = await start(t, admin, [anyPort, anyPort])
    const ordered = await ask(`${urls.at(-1)}/_balancer/server/state`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"state":"drain","grace":0,"close":true}',
    })
    assert.equal(ordered.status, 200)
    await until('all are closed', () => server.all.every(({ app }) => !app.server.listening))
    await server.close()
  }
})
