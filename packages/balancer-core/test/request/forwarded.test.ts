import Fastify, { type FastifyServerOptions } from 'fastify'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isTrusted, isWithheld, mayTellOfClient, pushForwarded } from '../../src/request/forwarded.ts'

interface Client {
  /** Its address; none if it has gone by now. */
  readonly peer?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Whom the app trusts. */
  readonly trustProxy?: FastifyServerOptions['trustProxy']
  /** Named by the request line. */
  readonly authority?: string
}

const both = { xForwarded: true, forwarded: true, clientCert: false, also: [] as string[], via: false }
const oldOnly = { xForwarded: true, forwarded: false, clientCert: false, also: [] as string[], via: false }
const none = { xForwarded: false, forwarded: false, clientCert: false, also: [] as string[], via: true }
const newOnly = { xForwarded: false, forwarded: true, clientCert: false, also: [] as string[], via: false }

/** What is said of a client, as Fastify sees it. */
async function pushed(client: Client, options = oldOnly): Promise<Record<string, string>> {
  const { headers = {}, trustProxy = false, authority } = client
  const peer = 'peer' in client ? client.peer : '192.0.2.1'
  const out: string[] = []
  const app = Fastify({ trustProxy })
  app.get('/', (request, reply) => {
    Object.defineProperty(request.raw.socket, 'remoteAddress', { value: peer })
    if (headers['host'] === '') delete request.raw.headers.host
    pushForwarded(out, request, options, authority, isTrusted(request))
    reply.send()
  })
  const { statusCode } = await app.inject({ url: '/', headers: { host: 'a.test', ...headers } })
  await app.close()
  assert.equal(statusCode, 200)
  assert.equal(out.length % 2, 0)
  const fields: Record<string, string> = {}
  for (let index = 0; index < out.length; index += 2) {
    const name = out[index]!
    assert.ok(!Object.hasOwn(fields, name), `${name} twice`)
    fields[name] = out[index + 1]!
  }
  return fields
}

const claims = {
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'shop.test',
  forwarded: 'for=203.0.113.9',
}

describe('x-forwarded-*', () => {
  test('says who the peer is, what it spoke and which host it asked for', async () => {
    assert.deepEqual(await pushed({ headers: { host: 'a.test:8080' } }), {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test:8080',
    })
    assert.equal((await pushed({ peer: '2001:db8::1' }))['x-forwarded-for'], '2001:db8::1')
  })

  test('names the host of the request line, which overrules the field', async () => {
    assert.equal((await pushed({ authority: 'b.test:8080' }))['x-forwarded-host'], 'b.test:8080')
  })

  test('leaves out a host that is not known', async () => {
    assert.deepEqual(await pushed({ headers: { host: '' } }), {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
    })
  })

  test('calls a peer that has gone unknown', async () => {
    assert.equal((await pushed({ peer: undefined }))['x-forwarded-for'], 'unknown')
  })

  test('replaces what a client claims when nobody is trusted', async () => {
    assert.deepEqual(await pushed({ headers: claims }), {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test',
    })
  })

  test('replaces what a client claims when others, but not this peer, are trusted', async () => {
    assert.deepEqual(await pushed({ headers: claims, trustProxy: '10.0.0.0/8' }), {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test',
    })
  })

  test('is appended to what a trusted peer says, and takes protocol and host from it', async () => {
    for (const trustProxy of [true, '192.0.2.0/24', ['192.0.2.1'], () => true]) {
      assert.deepEqual(
        await pushed({ headers: { ...claims, 'x-forwarded-for': '198.51.100.7, 203.0.113.9' }, trustProxy }),
        {
          'x-forwarded-for': '198.51.100.7, 203.0.113.9, 192.0.2.1',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'shop.test',
        },
        String(trustProxy),
      )
    }
  })

  test('begins a chain when a trusted peer has sent none', async () => {
    assert.deepEqual(await pushed({ trustProxy: true }), {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'a.test',
    })
  })
})

describe('forwarded', () => {
  test('says the same by RFC 7239', async () => {
    assert.deepEqual(await pushed({}, newOnly), { forwarded: 'for=192.0.2.1;proto=http;host="a.test"' })
    assert.deepEqual(await pushed({ headers: { host: 'a.test:8443' } }, newOnly), {
      forwarded: 'for=192.0.2.1;proto=http;host="a.test:8443"',
    })
  })

  test('brackets and quotes an IPv6 address', async () => {
    for (const peer of ['2001:db8::1', '::ffff:192.0.2.1']) {
      assert.equal((await pushed({ peer }, newOnly))['forwarded'], `for="[${peer}]";proto=http;host="a.test"`)
    }
  })

  test('leaves out a host that is not known, and calls a peer that has gone unknown', async () => {
    assert.equal(
      (await pushed({ peer: undefined, headers: { host: '' } }, newOnly))['forwarded'],
      'for=unknown;proto=http',
    )
  })

  test('escapes what would end the quotation', async () => {
    assert.equal(
      (await pushed({ headers: { host: 'a";for=evil\\' } }, newOnly))['forwarded'],
      'for=192.0.2.1;proto=http;host="a\\";for=evil\\\\"',
    )
  })

  test('replaces what a client claims', async () => {
    const expected = 'for=192.0.2.1;proto=http;host="a.test"'
    assert.equal((await pushed({ headers: claims }, newOnly))['forwarded'], expected)
    assert.equal((await pushed({ headers: claims, trustProxy: '10.0.0.0/8' }, newOnly))['forwarded'], expected)
  })

  test('is appended to what a trusted peer says, also when it says nothing else', async () => {
    const { forwarded } = claims
    assert.equal(
      (await pushed({ headers: claims, trustProxy: true }, newOnly))['forwarded'],
      'for=203.0.113.9, for=192.0.2.1;proto=https;host="shop.test"',
    )
    assert.equal(
      (await pushed({ headers: { forwarded }, trustProxy: true }, newOnly))['forwarded'],
      'for=203.0.113.9, for=192.0.2.1;proto=http;host="a.test"',
    )
  })
})

test('both can be sent, or none', async () => {
  assert.deepEqual(Object.keys(await pushed({}, both)), [
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
    'forwarded',
  ])
  assert.deepEqual(await pushed({}, none), {})
})

describe("of the client's own fields", () => {
  const written = ['x-forwarded-for', 'X-Forwarded-Proto', 'x-forwarded-host', 'X_Forwarded_For', 'x.forwarded-host']
  const others = [
    ...[
      'x-forwarded-port',
      'X-Forwarded-Prefix',
      'x-forwarded-server',
      'x-forwarded-ssl',
      'x-forwarded-by',
      'x-forwarded',
    ],
    ...[
      'X_FORWARDED_PORT',
      'x.forwarded.prefix',
      'x-forwarded_scheme',
      'x~forwarded|user',
      "x'forwarded*x",
      'X-Forwarded-',
    ],
    ...['x-real-ip', 'X-Real-IP', 'x_real_ip', 'X.Real_Ip', 'x!real`ip'],
  ]
  const innocent = [
    ...[
      'forward',
      'forwarded-x',
      'x-forward-for',
      'x-forwardedfor',
      'xforwarded-for',
      'x-request-id',
      'x-real-ips',
      'x-realip',
    ],
    ...['via', 'host', 'a', 'x', 'true-client-ip', 'cf-connecting-ip', 'x-client-ip', 'from', 'x-f', 'x-r'],
  ]
  const all = [...written, ...others, 'forwarded', 'Forwarded', ...innocent]
  const withheld = (options: typeof both, trusted: boolean) =>
    all.filter((name) => mayTellOfClient(name, options) && isWithheld(name, options, trusted))

  test('all that tell of clients are withheld unless the peer is trusted, also when none are sent', () => {
    for (const options of [both, oldOnly, newOnly, none])
      assert.deepEqual(withheld(options, false), [...written, ...others, 'forwarded', 'Forwarded'])
  })

  test('those of a trusted peer cross, but for what is written anew, in whatever spelling', () => {
    assert.deepEqual(withheld(both, true), [...written, 'forwarded', 'Forwarded'])
    assert.deepEqual(withheld(oldOnly, true), written)
    assert.deepEqual(withheld(newOnly, true), ['forwarded', 'Forwarded'])
    assert.deepEqual(withheld(none, true), [])
  })

  test('more can be named', () => {
    const options = { ...none, also: ['True-Client-IP', 'CF_Connecting_IP', 'A'] }
    const also = ['true-client-ip', 'TRUE_CLIENT_IP', 'cf-connecting-ip', 'a', 'A']
    for (const name of also) {
      assert.equal(mayTellOfClient(name, options), true)
      assert.deepEqual([isWithheld(name, options, false), isWithheld(name, options, true)], [true, false], name)
    }
    assert.equal(isWithheld('b', options, false), false)
  })
})
