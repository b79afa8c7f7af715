import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, test, type TestContext } from 'node:test'
import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyServerOptions } from 'fastify'
import type { AddressInfo } from 'node:net'
import { startApp } from '../support/app.ts'
import { failOnCrash } from './no-crash.ts'
import { ok, startWireBackend } from './wire-backend.ts'
import { exchange, get } from './wire-client.ts'
import { valuesOf, type WireMessage } from './wire-message.ts'

failOnCrash()

/** Sends a request through a balancer, and answers what its backend got. */
async function requestBehind(
  t: TestContext,
  request: string,
  options: BalancerOptions,
  server: FastifyServerOptions = {},
): Promise<WireMessage> {
  const backend = await startWireBackend(t)
  const { port } = await startApp(t, { backends: [backend.url], ...options }, server)
  assert.equal((await exchange(t, port, request)).status, 200)
  return backend.requests[0]!
}

const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'] as const

/** Those fields of a request, each with all of its values. */
function told(request: WireMessage): Record<string, string[]> {
  return Object.fromEntries(names.map((name) => [name, valuesOf(request, name)]))
}

const claims = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: public.example',
  'Forwarded: for=6.6.6.6;proto=https',
]
const bothKinds = { forwarded: { forwarded: true } }

const replaced = {
  'x-forwarded-for': ['127.0.0.1'],
  'x-forwarded-proto': ['http'],
  'x-forwarded-host': ['a.example'],
  forwarded: ['for=127.0.0.1;proto=http;host="a.example"'],
}
const appended = {
  'x-forwarded-for': ['6.6.6.6, 127.0.0.1'],
  'x-forwarded-proto': ['https'],
  'x-forwarded-host': ['public.example'],
  forwarded: ['for=6.6.6.6;proto=https, for=127.0.0.1;proto=https;host="public.example"'],
}

describe('what a client says of where it comes from', () => {
  const untrusted: Record<string, FastifyServerOptions['trustProxy']> = {
    'trustProxy is not set': undefined,
    'trustProxy: false': false,
    'trustProxy: another address': '10.0.0.1',
    'trustProxy: other networks': ['10.0.0.0/8', '192.168.0.0/16'],
    'trustProxy: a function that says no': () => false,
    'trustProxy: a function that trusts only what is further off': (_address, hop) => hop > 0,
  }
  const trustful: Record<string, FastifyServerOptions['trustProxy']> = {
    'trustProxy: true': true,
    'trustProxy: its address': '127.0.0.1',
    'trustProxy: its network by name': 'loopback',
    'trustProxy: networks, its own among them': ['10.0.0.0/8', '127.0.0.0/8'],
    'trustProxy: a function that says yes': () => true,
    'trustProxy: a function that trusts only the nearest': (_address, hop) => hop === 0,
  }

  test('is replaced when it is not trusted', async (t) => {
    for (const [name, trustProxy] of Object.entries(untrusted)) {
      await t.test(name, async (t) => {
        const server = trustProxy === undefined ? {} : { trustProxy }
        assert.deepEqual(told(await requestBehind(t, get('/', ...claims), bothKinds, server)), replaced)
      })
    }
  })

  test('is appended to when it is trusted', async (t) => {
    for (const [name, trustProxy] of Object.entries(trustful)) {
      await t.test(name, async (t) => {
        const server = { trustProxy: trustProxy! }
        assert.deepEqual(told(await requestBehind(t, get('/', ...claims), bothKinds, server)), appended)
      })
    }
  })

  test('is appended to whichever of the fields came', async (t) => {
    const server = { trustProxy: '127.0.0.1' }
    await t.test('only x-forwarded-for', async (t) => {
      const request = await requestBehind(t, get('/', claims[0]!), bothKinds, server)
      assert.deepEqual(told(request), { ...replaced, 'x-forwarded-for': appended['x-forwarded-for'] })
    })
    await t.test('only forwarded', async (t) => {
      const request = await requestBehind(t, get('/', claims[3]!), bothKinds, server)
      const forwarded = [`for=6.6.6.6;proto=https, ${replaced.forwarded[0]!}`]
      assert.deepEqual(told(request), { ...replaced, forwarded })
    })
    await t.test('only x-forwarded-proto and -host', async (t) => {
      const request = await requestBehind(t, get('/', claims[1]!, claims[2]!), bothKinds, server)
      assert.deepEqual(told(request), {
        'x-forwarded-for': ['127.0.0.1'],
        'x-forwarded-proto': ['https'],
        'x-forwarded-host': ['public.example'],
        forwarded: ['for=127.0.0.1;proto=https;host="public.example"'],
      })
    })
    await t.test('none', async (t) => {
      assert.deepEqual(told(await requestBehind(t, get(), bothKinds, server)), replaced)
    })
  })

  test('becomes one field when it came in several', async (t) => {
    const fields = [
      'x-forwarded-for: 1.1.1.1, 2.2.2.2',
      'X-Forwarded-For: 3.3.3.3',
      'forwarded: for=a',
      'Forwarded: for=b',
    ]
    const request = await requestBehind(t, get('/', ...fields), bothKinds, { trustProxy: true })
    assert.deepEqual(valuesOf(request, 'x-forwarded-for'), ['1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1'])
    assert.deepEqual(valuesOf(request, 'forwarded'), ['for=a, for=b, for=127.0.0.1;proto=http;host="a.example"'])
  })

  const everything = [
    ...claims,
    'X-Forwarded-Port: 443',
    'X-Forwarded-Prefix: /inner',
    'X-Forwarded-Server: evil.example',
    'X-Forwarded-Client-Cert: Subject=admin',
    'X-Real-IP: 6.6.6.6',
    'x_real_ip: 6.6.6.6',
    'X_Forwarded_For: 6.6.6.6',
    'x.forwarded.for: 6.6.6.6',
    'X_Forwarded-Proto: https',
    'x!forwarded~host: evil.example',
    'X_FORWARDED_PORT: 443',
    'True-Client-IP: 6.6.6.6',
    'CF_Connecting_IP: 6.6.6.6',
  ]
  const mine = ({ fields }: WireMessage) =>
    fields.filter(([name]) => /forwarded|real|client/i.test(name)).map(([name, value]) => `${name}: ${value}`)
  const cdn = ['True-Client-IP: 6.6.6.6']

  for (const [name, options, ours] of [
    ['by default', {}, ['x-forwarded-for: 127.0.0.1', 'x-forwarded-proto: http', 'x-forwarded-host: a.example']],
    ['with xForwarded: false', { forwarded: { xForwarded: false } }, []],
    [
      'with forwarded: true only',
      { forwarded: { xForwarded: false, forwarded: true } },
      ['forwarded: for=127.0.0.1;proto=http;host="a.example"'],
    ],
  ] as const) {
    test(`goes in all its fields and their aliases, of a peer that is not trusted, ${name}`, async (t) => {
      assert.deepEqual(mine(await requestBehind(t, get('/', ...everything), options)), [...cdn, ...ours])
      // Another peer is trusted.
      const server = { trustProxy: '10.0.0.1' }
      assert.deepEqual(mine(await requestBehind(t, get('/', ...everything), options, server)), [...cdn, ...ours])
    })
  }

  test('goes in further fields that the user has named', async (t) => {
    const options = { forwarded: { xForwarded: false, also: ['true-client-ip', 'CF-Connecting-IP'] } }
    const seen = await requestBehind(t, get('/', ...everything, 'x-b: 1'), options)
    assert.deepEqual(mine(seen), [])
    assert.deepEqual(valuesOf(seen, 'cf_connecting_ip'), [])
    assert.deepEqual(valuesOf(seen, 'x-b'), ['1'])
    const trusted = await requestBehind(t, get('/', ...everything), options, { trustProxy: true })
    assert.deepEqual(
      [valuesOf(trusted, 'true-client-ip'), valuesOf(trusted, 'cf_connecting_ip')],
      [['6.6.6.6'], ['6.6.6.6']],
    )
  })

  test('passes from a trusted peer: appended to where ours are sent, else as it came', async (t) => {
    const server = { trustProxy: '127.0.0.1' }
    const untouched = await requestBehind(t, get('/', ...everything), { forwarded: { xForwarded: false } }, server)
    assert.deepEqual(
      mine(untouched),
      everything.filter((field) => !field.startsWith('CF')),
    )
    const fields = everything.filter((field) => !/_/.test(field))
    const both = await requestBehind(t, get('/', ...fields), bothKinds, server)
    assert.deepEqual(told(both), appended)
    assert.deepEqual(
      ['x-forwarded-port', 'x-forwarded-prefix', 'x-real-ip'].flatMap((field) => valuesOf(both, field)),
      ['443', '/inner', '6.6.6.6'],
    )
    // Other spellings of what we write would contradict it.
    const spelt = await requestBehind(t, get('/', ...everything), {}, server)
    assert.deepEqual(
      spelt.fields.map(([name]) => name).filter((name) => /^x[^a-z]forwarded[^a-z](?:for|proto|host)$/i.test(name)),
      ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
    )
    assert.deepEqual(told(spelt), { ...appended, forwarded: ['for=6.6.6.6;proto=https'] })
  })

  test('is not there when there is nothing to tell', async (t) => {
    assert.deepEqual(mine(await requestBehind(t, get(), { forwarded: { xForwarded: false } })), [])
  })
})

test('a host with odd characters cannot break out of Forwarded', async (t) => {
  const request = get().replace('a.example', 'a;for=6.6.6.6,b')
  const { fields } = await requestBehind(t, request, bothKinds)
  const [, value] = fields.find(([name]) => name === 'forwarded')!
  assert.equal(value, 'for=127.0.0.1;proto=http;host="a;for=6.6.6.6,b"')
})

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses!.some(({ address }) => address === '::1'),
)

test('an IPv6 client is told of as such', { skip: !hasIpv6 && 'there is no IPv6 here' }, async (t) => {
  const backend = await startWireBackend(t)
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [backend.url], ...bothKinds })
  await app.listen({ port: 0, host: '::1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '::1')
  t.after(() => socket.destroy())
  socket.write(get().replace('a.example', '[::1]:8080'))
  await new Promise((resolve) => socket.once('data', resolve))
  assert.deepEqual(told(backend.requests[0]!), {
    'x-forwarded-for': ['::1'],
    'x-forwarded-proto': ['http'],
    'x-forwarded-host': ['[::1]:8080'],
    forwarded: ['for="[::1]";proto=http;host="[::1]:8080"'],
  })
})

describe('via', () => {
  const options = { forwarded: { via: true } }
  test('is not sent unless it is asked for', async (t) => {
    const backend = await startWireBackend(t)
    const { port } = await startApp(t, { backends: [backend.url] })
    assert.deepEqual(valuesOf(await exchange(t, port, get()), 'via'), [])
    assert.deepEqual(valuesOf(backend.requests[0]!, 'via'), [])
  })
  test('names the version that was received, last of the list', async (t) => {
    assert.deepEqual(valuesOf(await requestBehind(t, get(), options), 'via'), ['1.1 fastify-balancer'])
    const old = 'GET / HTTP/1.0\r\nhost: a.example\r\n\r\n'
    assert.deepEqual(valuesOf(await requestBehind(t, old, options), 'via'), ['1.0 fastify-balancer'])
    const later = get('/', 'Via: 1.0 one', 'via: 1.1 two, 2 three')
    assert.deepEqual(
      valuesOf(await requestBehind(t, later, options), 'via').join(', '),
      '1.0 one, 1.1 two, 2 three, 1.1 fastify-balancer',
    )
  })
  for (const lane of ['raw', 'full'] as const) {
    test(`is on the response as well, last of the list (${lane} lane)`, async (t) => {
      const backend = await startWireBackend(t, ok('ok', 'via: 1.0 one'))
      const { port } = await startApp(t, { backends: [backend.url], lane, ...options })
      const response = await exchange(t, port, get())
      assert.deepEqual(valuesOf(response, 'via').join(', '), '1.0 one, 1.1 fastify-balancer')
    })
  }
})

describe('the Host that a backend sees', () => {
  const hosts = {
    preserve: 'Public.Example:8080',
    'inner.example:81': 'inner.example:81',
  }
  for (const [host, seen] of Object.entries(hosts)) {
    test(`host: ${host}`, async (t) => {
      const request = await requestBehind(t, get().replace('a.example', 'Public.Example:8080'), { host })
      assert.deepEqual(valuesOf(request, 'host'), [seen])
      assert.deepEqual(valuesOf(request, 'x-forwarded-host'), ['Public.Example:8080'])
    })
  }
  test('host: backend, each its own', async (t) => {
    const backends = await Promise.all([startWireBackend(t), startWireBackend(t)])
    const { port } = await startApp(t, { backends: backends.map(({ url }) => url), host: 'backend' })
    for (const _ of backends) await exchange(t, port, get())
    for (const { url, requests } of backends) {
      assert.deepEqual(
        requests.map((request) => valuesOf(request, 'host')),
        [[new URL(url).host]],
      )
      assert.deepEqual(valuesOf(requests[0]!, 'x-forwarded-host'), ['a.example'])
    }
  })
  test('is the one of HTTP/1.0 if there is one, else its own', async (t) => {
    for (const host of ['preserve', 'backend']) {
      await t.test(host, async (t) => {
        const backend = await startWireBackend(t)
        const { port } = await startApp(t, { backends: [backend.url], host, ...bothKinds })
        assert.equal((await exchange(t, port, 'GET / HTTP/1.0\r\n\r\n')).status, 200)
        const own = new URL(backend.url).host
        assert.deepEqual(valuesOf(backend.requests[0]!, 'host'), [own])
        assert.deepEqual(told(backend.requests[0]!), {
          ...replaced,
          'x-forwarded-host': [],
          forwarded: ['for=127.0.0.1;proto=http'],
        })
        await exchange(t, port, 'GET / HTTP/1.0\r\nhost: b.example\r\n\r\n')
        assert.deepEqual(valuesOf(backend.requests[1]!, 'host'), [host === 'preserve' ? 'b.example' : own])
      })
    }
  })
  test('may be empty, as it came', async (t) => {
    const request = await requestBehind(t, get().replace('a.example', ''), bothKinds)
    assert.deepEqual(valuesOf(request, 'host'), [''])
    assert.deepEqual(valuesOf(request, 'x-forwarded-host'), [])
  })
})
