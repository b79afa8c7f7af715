import adminRoutes from '@fastify-balancer/admin-routes'
import core, { type NamedPolicies } from '@fastify-balancer/balancer-core'
import { policies } from '@fastify-balancer/policies'
import fastifyBalancer, { type BalancerOptions } from '../../src/index.ts'
import { Type } from '@sinclair/typebox'
import * as fc from 'fast-check'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elsewhere, localhost } from '../../../../test/support/certificates.ts'

async function configurationWith(options: BalancerOptions): Promise<string> {
  const app = Fastify()
  try {
    // The facade takes policies of its own packages only.
    if ('policy' in options && JSON.stringify(options).includes('"mine"')) {
      app.decorate('balancerPolicies', { ...policies, ...own })
      await app.register(core, options)
      await app.register(adminRoutes, { insecure: true })
    } else await app.register(fastifyBalancer, { healthCheck: { type: 'none' }, admin: { insecure: true }, ...options })
    const { statusCode, body } = await app.inject('/_balancer/balancers/default/config')
    assert.equal(statusCode, 200)
    return body
  } finally {
    await app.close()
  }
}

test('every option in force, with its default, of the balancer and of its extensions', async () => {
  const text = await configurationWith({
    backends: ['http://127.0.0.1:1', { id: 'b', url: 'http://127.0.0.1:2', weight: 3 }],
    policy: { name: 'maglev', key: { header: 'x-user' } },
    timeouts: { connect: 7 },
    rewrite: { request: function mine() {} },
    circuitBreaker: { failures: 9, backends: { b: false } },
    adaptiveLimit: true,
    mirror: { to: ['127.0.0.1:3'] },
  })
  const { name, options, extensions, backends } = JSON.parse(text)
  assert.equal(name, 'default')
  assert.deepEqual(
    [options.timeouts.connect, options.timeouts.headers, options.queue.max, options.panicThreshold],
    [7, 30_000, 1024, 0],
  )
  assert.equal(options.rewrite.request, '[function mine]')
  assert.deepEqual([options.policy.name, options.policy.key], ['maglev', { header: 'x-user' }])
  assert.deepEqual(Object.keys(extensions).toSorted(), ['adaptive-limit', 'circuit-breaker', 'health-check', 'mirror'])
  assert.deepEqual([extensions['health-check'].type, extensions['health-check'].interval], ['none', 5000])
  const breaker = extensions['circuit-breaker']
  assert.deepEqual([breaker.failures, breaker.openFor, breaker.backends], [9, 10_000, { b: false }])
  assert.equal(extensions['adaptive-limit'].algorithm, 'gradient2')
  assert.deepEqual(extensions.mirror.to, ['http://127.0.0.1:3'])
  assert.deepEqual(backends, [
    { id: 'http://127.0.0.1:1', url: 'http://127.0.0.1:1' },
    { id: 'b', url: 'http://127.0.0.1:2', weight: 3 },
  ])
})

test('after a change of the options, and without an extension that was switched off', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(fastifyBalancer, {
    backends: ['http://127.0.0.1:1'],
    healthCheck: { type: 'none' },
    admin: { insecure: true },
  })
  const change = await app.balancer.prepare(
    { backends: ['http://127.0.0.1:1'], timeouts: { connect: 9 } },
    { beside: { 'circuit-breaker': false, 'health-check': { type: 'tcp', interval: 77 } } },
  )
  change.commit()
  const { body } = await app.inject('/_balancer/balancers/default/config')
  const { options, extensions } = JSON.parse(body)
  assert.deepEqual([options.timeouts.connect, Object.keys(extensions)], [9, ['health-check']])
  assert.deepEqual([extensions['health-check'].type, extensions['health-check'].interval], ['tcp', 77])
})

/** A policy of somebody else, with a secret that only its schema calls one. */
const own: NamedPolicies = {
  mine: {
    description: 'the first',
    settings: Type.Object({
      pin: Type.Optional(Type.String({ writeOnly: true })),
      policy: Type.Optional(Type.Any({ default: 'round-robin' })),
    }),
    make: () => ({ name: 'mine', over: (all) => ({ pick: () => all[0], peek: () => all[0] }) }),
  },
}

const mine = (pin: string) => ({ name: 'mine', pin }) as unknown as NonNullable<BalancerOptions['policy']>

/** A text that stands in no other option, and that no pattern of one refuses. */
const secret = fc.stringMatching(/^zq[a-z0-9]{18,30}zq$/)

/** Places where options may hold one, each with the options that hold it there. */
const places: Readonly<Record<string, (text: string) => BalancerOptions>> = {
  'the secret of sticky sessions': (text) => ({ sticky: { secret: [`${text}0123456789`, text] } }),
  'the value of a header of probes': (text) => ({ healthCheck: { headers: { authorization: `Bearer ${text}` } } }),
  'a header of probes of another name': (text) => ({ healthCheck: { headers: { 'x-probe': text, cookie: text } } }),
  'the query of probes': (text) => ({ healthCheck: { path: `/health?key=${text}` } }),
  'the passphrase of a key': (text) => ({ pool: { tls: { passphrase: text } } }),
  'keys of tickets': (text) => ({ pool: { tls: { ticketKeys: Buffer.alloc(48, text) } } }),
  'an option of TLS that nobody knows': (text) => ({ pool: { tls: { pskIdentity: text, session: [text] } } }),
  'a passphrase of one backend': (text) => ({
    backends: [{ id: 'own', url: 'https://127.0.0.1:4', tls: { passphrase: text } }],
  }),
  'a setting of a policy that its schema hides': (text) => ({ policy: mine(text) }),
  'a setting of a policy within a policy': (text) => ({
    policy: { name: 'sticky', secret: [`${text}0123456789`], policy: mine(text) },
  }),
}

for (const [place, holding] of Object.entries(places))
  test(`not shown: ${place}`, async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (text) => {
        const body = await configurationWith(holding(text))
        assert.ok(!body.includes(text), body)
        assert.ok(body.includes('(hidden)') || body.includes('?…'), 'it says that there is one')
      }),
      { numRuns: 5 },
    )
  })

test('not shown: keys and certificates', async () => {
  const body = await configurationWith({
    healthCheck: false,
    pool: { tls: { ca: localhost.cert, cert: localhost.cert, key: localhost.key } },
    backends: [{ url: 'https://127.0.0.1:4', tls: { cert: elsewhere.cert, key: elsewhere.key } }],
  })
  const pem = [localhost.cert, localhost.key, elsewhere.cert, elsewhere.key]
  for (const line of pem.flatMap((one) => one.split('\n')).filter((one) => one.length > 20))
    assert.ok(!body.includes(line), line)
  assert.ok(!body.includes('BEGIN'))
})

test('it needs the role of those who read', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  const refuse = async () => {
    throw Object.assign(new Error('no'), { statusCode: 401 })
  }
  const admin = { read: { onRequest: refuse }, operate: { onRequest: async () => {} } }
  await app.register(fastifyBalancer, { healthCheck: false, admin })
  assert.equal((await app.inject('/_balancer/balancers/default/config')).statusCode, 401)
})
