import assert from 'node:assert/strict'
import type { FastifyRequest } from 'fastify'
import { test } from 'node:test'
import { requestHeaders, type HeaderRules } from '../../src/request/request-headers.ts'

const silent = { xForwarded: false, forwarded: false, clientCert: false, also: [], via: false }
const plain: HeaderRules = {
  forwarded: silent,
  host: undefined,
  authority: undefined,
  requestId: false,
  bodyReplaced: false,
  mayTrail: false,
}

/** A request with these fields, each as `name: value`. */
function requestOf(fields: readonly string[], httpVersion: string): FastifyRequest {
  const rawHeaders = fields.flatMap((field) => {
    const colon = field.indexOf(': ')
    return [field.slice(0, colon), field.slice(colon + 2)]
  })
  const headers: Record<string, string> = {}
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const earlier = headers[name]
    headers[name] = earlier === undefined ? rawHeaders[index + 1]! : `${earlier}, ${rawHeaders[index + 1]!}`
  }
  return {
    raw: { rawHeaders, headers, httpVersion, socket: { remoteAddress: '192.0.2.1' } },
    protocol: 'http',
    host: headers['host'] ?? '',
  } as unknown as FastifyRequest
}

/** What is sent on, each field as `name: value`. */
function sent(fields: readonly string[], rules: Partial<HeaderRules> = {}, httpVersion = '1.1'): string[] {
  const flat = requestHeaders(requestOf(fields, httpVersion), { ...plain, ...rules })
  assert.equal(flat.length % 2, 0)
  return flat.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${flat[index + 1]}`] : []))
}

test('case, order and repetitions are kept', () => {
  const fields = ['ACCEPT: */*', 'Cookie: a=1', 'x-b: 2', 'cookie: b=2', 'X-Empty: ', 'aCCEPT: text/html']
  assert.deepEqual(sent(fields), fields)
})

test('the host is what it is told to be, first, and only once', () => {
  assert.deepEqual(sent(['A: 1', 'Host: a.test'], { host: 'b.test' }), ['host: b.test', 'A: 1'])
  assert.deepEqual(sent(['Host: a.test', 'A: 1']), ['A: 1'])
})

test('hop-by-hop fields are dropped', () => {
  assert.deepEqual(
    sent([
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: gzip',
      'A: 1',
      'Transfer-Encoding: chunked',
      'Upgrade: h2c',
      'HTTP2-Settings: x',
      'Proxy-Authorization: Basic x',
    ]),
    ['A: 1'],
  )
})

test('what Connection nominates is dropped, in whatever case', () => {
  assert.deepEqual(sent(['Connection: close, X-Secret', 'x-SECRET: 1', 'A: 2']), ['A: 2'])
})

test('a client can strip neither the length nor the host, nor what is added', () => {
  assert.deepEqual(
    sent(
      [
        'Connection: content-length, host, x-forwarded-for, x-forwarded-host, via',
        'Host: a.test',
        'Content-Length: 5',
        'Via: 1.0 b',
      ],
      { host: 'a.test', forwarded: { ...silent, xForwarded: true, via: true } },
    ),
    [
      'host: a.test',
      'Content-Length: 5',
      'x-forwarded-for: 192.0.2.1',
      'x-forwarded-proto: http',
      'x-forwarded-host: a.test',
      'via: 1.0 b, 1.1 fastify-balancer',
    ],
  )
})

test('what would make undici refuse the request, or means only this connection, is dropped', () => {
  assert.deepEqual(sent(['Expect: 100-continue', 'Trailer: x-sum', 'A: 1']), ['A: 1'])
})

test('te: trailers crosses, and nothing else of it', () => {
  for (const te of ['trailers', 'Trailers', 'gzip, trailers', 'trailers;q=0.5', 'deflate;q=0.5,trailers , gzip']) {
    assert.deepEqual(sent([`TE: ${te}`, 'Connection: TE']), ['te: trailers'], te)
  }
  for (const te of ['gzip', '', 'trailersx', 'xtrailers', 'x trailers', 'gzip;trailers']) {
    assert.deepEqual(sent([`TE: ${te}`]), [], te)
  }
})

test('when a hook has replaced the body, its length and coding are not those of the client', () => {
  const fields = ['Content-Length: 5', 'Content-Encoding: gzip', 'Content-Type: text/plain']
  assert.deepEqual(sent(fields), fields)
  assert.deepEqual(sent(fields, { bodyReplaced: true }), ['Content-Type: text/plain'])
})

test('pseudo fields of HTTP/2 are dropped', () => {
  const pseudo = [':method: GET', ':path: /', ':authority: a.test', ':scheme: https']
  assert.deepEqual(sent([...pseudo, 'a: 1']), ['a: 1'])
})

test('what anybody says of where it comes from is dropped, whether or not anything is added', () => {
  assert.deepEqual(sent(['X-Forwarded-For: 203.0.113.9', 'Forwarded: for=203.0.113.9', 'Via: 1.1 b']), ['Via: 1.1 b'])
})

test('what a client claims to be is replaced by what it is', () => {
  const claims = ['X-Forwarded-For: 203.0.113.9', 'x-forwarded-PROTO: https', 'X-Forwarded-Host: evil.test']
  assert.deepEqual(
    sent([...claims, 'Forwarded: for=203.0.113.9', 'A: 1'], { forwarded: { ...silent, xForwarded: true } }),
    ['A: 1', 'x-forwarded-for: 192.0.2.1', 'x-forwarded-proto: http'],
  )
  assert.deepEqual(sent(['Forwarded: for=203.0.113.9', 'A: 1'], { forwarded: { ...silent, forwarded: true } }), [
    'A: 1',
    'forwarded: for=192.0.2.1;proto=http',
  ])
})

test('the host of the request line is the one that is told', () => {
  assert.deepEqual(
    sent(['Host: a.test'], { host: 'b.test', authority: 'b.test', forwarded: { ...silent, xForwarded: true } }),
    ['host: b.test', 'x-forwarded-for: 192.0.2.1', 'x-forwarded-proto: http', 'x-forwarded-host: b.test'],
  )
})

test('via joins those before, and says which version the client spoke', () => {
  const via = { forwarded: { ...silent, via: true } }
  assert.deepEqual(sent(['A: 1'], via), ['A: 1', 'via: 1.1 fastify-balancer'])
  assert.deepEqual(sent(['A: 1'], via, '1.0'), ['A: 1', 'via: 1.0 fastify-balancer'])
  assert.deepEqual(sent(['Via: 1.0 b', 'A: 1', 'via: 1.1 c'], via), ['A: 1', 'via: 1.0 b, 1.1 c, 1.1 fastify-balancer'])
})

test('names of every length are told apart', () => {
  for (let length = 1; length <= 80; length++) {
    const field = `${'x'.repeat(length)}: 1`
    assert.deepEqual(sent([field]), [field])
  }
})
