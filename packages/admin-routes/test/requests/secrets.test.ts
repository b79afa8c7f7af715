import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stage } from '../stage.ts'

const backends = '/balancers/default/backends'
const url = 'http://user:secret@10.0.0.1:3000/path?token=secret'
const path = encodeURIComponent(url)

test('no answer, log line or event names a password, or the query of a URL', async (t) => {
  const { app, ask, log, told } = await stage(t, { admin: { insecure: true, allow: ['10.0.0.0/8'] } })
  for (const [method, at, given, headers] of [
    ['GET', '/nothing?token=secret'],
    ['POST', '/nothing?token=secret'],
    ['GET', `/balancers/${path}`],
    ['GET', `${backends}/${path}`],
    ['DELETE', `${backends}/${path}`],
    ['GET', `${backends}/${path}/wait`],
    ['GET', `/events?balancer=${path}`],
    ['POST', backends, { url }],
    ['POST', backends, { url: url.replace('http:', 'ftp:') }],
    ['POST', backends, { url: `no URL ${url}` }],
    ['POST', backends, { url: 'http://10.0.0.1/?token=secret' }],
    ['POST', backends, { url: 'http://user:sec/ret@10.0.0.1' }],
    ['PUT', backends, { backends: [url, { url, weight: 0 }] }],
    ['PUT', backends, { backends: [], [url]: 1 }],
    ['PUT', `${backends}?dryRun=true`, { backends: [url] }],
    ['PATCH', `${backends}/a`, { [url]: 1 }],
    ['PATCH', `${backends}/a`, { weight: 5 }, { origin: 'http://user:secret@evil.example' }],
    ['GET', '/balancers', undefined, { host: 'user:secret@evil.example' }],
  ] as const) {
    const { status, body } = await ask(method, at, given, headers)
    assert.ok(status >= 400 || at.includes('dryRun'), `${status} ${method} ${at}`)
    assert.doesNotMatch(JSON.stringify(body), /secret|sec.ret/, `${method} ${at}`)
  }
  assert.deepEqual(told, [])
  // Fastify's own line of a request is the app's.
  const ours = log.all.filter(({ msg }) => msg !== 'incoming request')
  assert.doesNotMatch(JSON.stringify(ours), /secret/)
  assert.equal(app.balancer.backends.length, 2)
})
