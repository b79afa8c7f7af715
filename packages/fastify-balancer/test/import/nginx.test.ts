import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fromNginx, type Imported } from './stage.ts'

/** What can be switched on and off, as it is when it is given in parts. */
function partsOf<Parts extends object>(option: Parts | boolean | undefined): Parts {
  assert.ok(typeof option === 'object')
  return option
}

/** A server on port 80 with this inside. */
const site = (inner: string, http = '') => `events {}\nhttp {\n${http}\nserver {\n${inner}\n}\n}\n`

/** Of the report, what counts: without lines about what is not needed. */
const told = ({ report }: Imported) => report.filter((line) => !line.includes(': not needed: '))

const balancer = (t: TestContext, inner: string, http?: string) => {
  const result = fromNginx(t, site(inner, http))
  return { ...result, ...result.written.balancers[0]! }
}

test("nginx's own defaults are written where ours differ", (t) => {
  const {
    timeouts,
    retry: retried,
    panicThreshold,
    healthCheck,
    circuitBreaker,
    host,
    forwarded,
    report,
    isComplete,
  } = balancer(
    t,
    'location / { proxy_pass http://web; proxy_redirect off; }',
    'upstream web { server 10.0.0.1:1; server 10.0.0.2:1; }',
  )
  assert.deepEqual(timeouts, { connect: 60_000, headers: 60_000, idle: 60_000 })
  const retry = partsOf(retried)
  assert.equal(retry.attempts, 1)
  assert.ok(['GET', 'PUT', 'DELETE'].every((method) => retry.methods?.includes(method)))
  assert.ok(['POST', 'PATCH', 'LOCK'].every((method) => !retry.methods?.includes(method)))
  assert.deepEqual([panicThreshold, healthCheck, host, forwarded], [false, false, 'web', { xForwarded: false }])
  assert.deepEqual(circuitBreaker, {
    failures: 1,
    window: 10_000,
    openFor: 10_000,
    maxOpenFor: 10_000,
    growth: 1,
    jitter: 0,
    statuses: [],
  })
  assert.ok(isComplete, report.join('\n'))
})

test('parameters of servers', (t) => {
  const { backends, circuitBreaker, queue, policy, pool } = balancer(
    t,
    'location / { proxy_pass http://web; }',
    `upstream web {
      least_conn;
      server 10.0.0.1:1 weight=5 max_conns=2000;
      server [::1]:2 max_fails=3 fail_timeout=1m30s;
      server c max_fails=0;
      server 10.0.0.4:4 backup;
      server 10.0.0.5:5 down;
      keepalive 8;
      keepalive_timeout 20s;
    }`,
  )
  assert.deepEqual(backends, [
    { url: 'http://10.0.0.1:1', weight: 5, maxInFlight: 2000 },
    'http://[::1]:2',
    'http://c:80',
    { url: 'http://10.0.0.4:4', priority: 1 },
  ])
  const { backends: special } = circuitBreaker as { backends: object }
  assert.deepEqual(special, {
    'http://[::1]:2': { failures: 3, window: 90_000, openFor: 90_000, maxOpenFor: 90_000 },
    'http://c': false,
  })
  assert.deepEqual(
    [policy, queue, pool],
    ['least-requests', { max: 0 }, { connections: 2000, keepAliveTimeout: 20_000 }],
  )
})

test('policies', (t) => {
  const policyFor = (line: string) =>
    balancer(t, 'location / { proxy_pass http://web; }', `upstream web { ${line} server a:1; server b:1; }`)
  assert.deepEqual(
    ['', 'random;', 'random two;', 'random two least_conn;', 'least_conn;'].map((line) => policyFor(line).policy),
    ['round-robin', 'random', 'p2c', 'p2c', 'least-requests'],
  )
  for (const [line, policy] of [
    ['least_time header;', 'least-time'],
    ['least_time header inflight;', { name: 'least-time', inflight: true }],
    ['least_time last_byte;', { name: 'least-time', to: 'last-byte' }],
    ['least_time last_byte inflight;', { name: 'least-time', to: 'last-byte', inflight: true }],
  ] as const) {
    const result = policyFor(line)
    assert.deepEqual([result.policy, result.isComplete], [policy, true])
    assert.deepEqual(
      told(result)
        .join()
        .match(/least_time/),
      null,
    )
  }
})

test('clients that are kept at one server: by a cookie, with a secret from the environment', (t) => {
  const stickyFor = (line: string) =>
    balancer(t, 'location / { proxy_pass http://web; }', `upstream web { ${line} server a:1; server b:1; }`)
  const secret = ['${STICKY_SECRET}']
  for (const [line, sticky] of [
    ['sticky cookie srv;', { cookie: 'srv', secret }],
    [
      'sticky cookie s expires=1h domain=.example.com httponly secure path=/app samesite=strict;',
      { cookie: 's', secret, secure: true, sameSite: 'strict', path: '/app', domain: 'example.com', maxAge: 3_600_000 },
    ],
    ['sticky cookie s expires=60d;', { cookie: 's', secret, maxAge: 5_184_000_000 }],
    ['sticky cookie s expires=max;', { cookie: 's', secret, maxAge: 34_560_000_000 }],
  ] as const) {
    const result = stickyFor(`${line} least_conn;`)
    assert.deepEqual([result.sticky, result.policy, result.isComplete], [sticky, 'least-requests', true])
    assert.match(told(result)[0]!, /^nginx\.conf:3: differs: .*: set the environment variable STICKY_SECRET/)
  }
  for (const line of ['sticky route $a;', 'sticky learn create=$a lookup=$b zone=c:1m;']) {
    const result = stickyFor(line)
    assert.deepEqual([result.sticky, result.isComplete], [undefined, false])
    assert.match(told(result)[0]!, /left out: sticky .*by a cookie of the balancer only/)
  }
})

test('policies by a hash', (t) => {
  const policyFor = (line: string) =>
    balancer(t, 'location / { proxy_pass http://web; }', `upstream web { ${line} server a:1; server b:1; }`)
  const ofHash = (result: ReturnType<typeof policyFor>) =>
    told(result).filter((line) => /: \w+_?hash\b|: hash /.test(line))
  const ring = (key: object) => ({ name: 'ring', key, balance: false, policy: 'round-robin' })
  for (const [variable, key] of [
    ['$remote_addr', { address: true }],
    ['$http_x_user', { header: 'x-user' }],
    ['$http_host', { header: 'host' }],
    ['$cookie_sid', { cookie: 'sid' }],
    ['${arg_user}', { query: 'user' }],
  ] as const) {
    const result = policyFor(`hash ${variable} consistent;`)
    assert.deepEqual(result.policy, ring(key))
    assert.deepEqual(ofHash(result), [], variable)
  }
  const host = policyFor('hash $host consistent;')
  assert.deepEqual(host.policy, ring({ header: 'host' }))
  assert.match(ofHash(host)[0]!, /but not at the one that nginx has for it/)
  // It is decoded there: `/%61` and `/a` are one key.
  const decoded = policyFor('hash $uri consistent;')
  assert.deepEqual(decoded.policy, ring({ path: true }))
  assert.match(ofHash(decoded)[0]!, /but not at the one that nginx has for it/)
  const uri = policyFor('hash $request_uri consistent;')
  assert.deepEqual(uri.policy, ring({ path: true }))
  assert.match(told(uri)[0]!, /^nginx\.conf:3: differs: .*: the query is not a part of the key/)
  const cacheKey = policyFor('hash $scheme$proxy_host$uri consistent;')
  assert.deepEqual(cacheKey.policy, ring({ path: true }))
  assert.match(told(cacheKey)[0]!, /^nginx\.conf:3: differs: .*: a client stays at one backend, but not at the one/)
  const plain = policyFor('hash $cookie_sid;')
  assert.deepEqual(plain.policy, { ...ring({ cookie: 'sid' }), name: 'maglev' })
  assert.match(told(plain)[0]!, /^nginx\.conf:3: differs: hash \$cookie_sid: a client stays at one backend/)
  const address = policyFor('ip_hash;')
  assert.deepEqual(address.policy, { name: 'maglev', key: { address: { v4: 24 } }, balance: false })
  assert.match(told(address)[0]!, /^nginx\.conf:3: differs: ip_hash: a client stays at one backend/)
  for (const line of ['hash $ssl_session_id;', 'hash $arg_a$arg_b consistent;']) {
    const result = policyFor(line)
    assert.equal(result.policy, 'round-robin')
    assert.match(told(result)[0]!, /^nginx\.conf:3: left out: hash .*: such a key takes code/)
  }
})

test('settings are inherited from http and server, and a location has the last word', (t) => {
  const { written } = fromNginx(
    t,
    site(
      `proxy_read_timeout 2m;
       proxy_set_header Host $http_host;
       location / { proxy_pass http://a:1; }
       location /slow/ { proxy_pass http://a:1; proxy_read_timeout 1h; proxy_set_header X-Forwarded-Proto $scheme; }`,
      'proxy_connect_timeout 500ms;',
    ),
  )
  const [root, slow] = written.balancers
  assert.deepEqual(root!.timeouts, { connect: 500, headers: 120_000, idle: 120_000 })
  assert.deepEqual(slow!.timeouts, { connect: 500, headers: 3_600_000, idle: 3_600_000 })
  // A location with a header of its own inherits none, so its Host is that of proxy_pass again.
  assert.deepEqual([root!.host, slow!.host], ['preserve', 'a:1'])
})

test('a Host that has a meaning of its own here is written such that it means itself', (t) => {
  const { host } = balancer(t, 'location / { proxy_pass http://backend; }', 'upstream backend { server a:1; }')
  assert.equal(host, 'Backend')
})

test('conditions of proxy_next_upstream', (t) => {
  const retryFor = (line: string) =>
    balancer(t, `${line} location / { proxy_pass http://web; }`, 'upstream web { server a:1; server b:1; server c:1; }')
  assert.equal(partsOf(retryFor('proxy_next_upstream off;').retry).attempts, 0)
  assert.equal(partsOf(retryFor('proxy_next_upstream_tries 2;').retry).attempts, 1)
  const statuses = retryFor('proxy_next_upstream error timeout http_502 http_404 non_idempotent;')
  assert.deepEqual(partsOf(statuses.retry).statuses, [502, 404])
  assert.ok(partsOf(statuses.retry).methods?.includes('POST'))
  assert.deepEqual((statuses.circuitBreaker as { statuses: unknown }).statuses, [502])
  assert.match(told(retryFor('proxy_next_upstream error;'))[0]!, /left out: proxy_next_upstream error: /)
  assert.match(told(retryFor('proxy_next_upstream_timeout 5s;'))[0]!, /left out: proxy_next_upstream_timeout 5s: /)
})

test('paths that cannot be replaced as proxy_pass does are answered with 503, not forwarded to the wrong path', (t) => {
  const result = balancer(t, 'location /v1/ { proxy_pass http://a:1/v2; }\nlocation / { proxy_pass http://b:1; }')
  const [v1] = result.written.balancers
  assert.deepEqual([v1!.prefix, v1!.backends], ['/v1', []])
  assert.ok(
    told(result).some((line) => /:5: left out: proxy_pass .*rewrite\.request/.test(line)),
    told(result).join('\n'),
  )
})

test('the usual ways to take a prefix off', (t) => {
  for (const inner of [
    'location /api/ { proxy_pass http://a:1/; }',
    'location /api/ { rewrite ^/api/(.*)$ /$1 break; proxy_pass http://a:1; }',
    'location /api { rewrite ^/api(/.*)$ $1 break; proxy_pass http://a:1; }',
  ])
    assert.deepEqual(balancer(t, inner).rewrite, { stripPrefix: true }, inner)
  assert.deepEqual(balancer(t, 'location /a/ { rewrite ^ /b break; proxy_pass http://a:1; }').backends, undefined)
})

test('the path of proxy_pass, or of the usual rewrite, takes the place of the prefix', (t) => {
  for (const [inner, prefix] of [
    ['location /api/ { proxy_pass http://a:1/v1/in/; }', '/v1/in'],
    ['location /api { proxy_pass http://a:1/v1; }', '/v1'],
    ['location / { proxy_pass http://a:1/base/; }', '/base'],
    ['location /api/ { rewrite ^/api/(.*)$ /v1/$1 break; proxy_pass http://a:1; }', '/v1'],
    ['location /api { rewrite ^/api(/.*)$ /v1$1 break; proxy_pass http://a:1; }', '/v1'],
  ] as const)
    assert.deepEqual(balancer(t, inner).rewrite, { prefix }, inner)
  for (const path of ['http://a:1/x?y/', 'http://a:1//x/', 'http://a:1/:x/'])
    assert.deepEqual(balancer(t, `location /api/ { proxy_pass ${path}; }`).backends, undefined, path)
})

test('redirects and cookies change as there', (t) => {
  const rewriteFor = (line: string, pass = 'http://a:1') =>
    balancer(t, `location /api/ { ${line} proxy_pass ${pass}; }`).rewrite
  assert.deepEqual(rewriteFor(''), { location: true })
  assert.deepEqual(rewriteFor('proxy_redirect default;'), { location: true })
  assert.deepEqual(rewriteFor('proxy_redirect off;'), undefined)
  assert.deepEqual(rewriteFor('proxy_set_header Host $http_host;'), undefined)
  assert.deepEqual(rewriteFor('proxy_redirect off;', 'http://a:1/'), { stripPrefix: true, location: false })
  assert.deepEqual(
    rewriteFor('proxy_cookie_path /two/ /; proxy_cookie_path /x /y; proxy_cookie_domain a.internal example.com;'),
    { location: true, cookies: { path: { '/two/': '/', '/x': '/y' }, domain: { 'a.internal': 'example.com' } } },
  )
  const result = balancer(
    t,
    'location / { proxy_redirect http://b/ /; proxy_cookie_path ~^/x /; proxy_cookie_domain a $host; proxy_pass http://a:1; }',
  )
  assert.equal(told(result).filter((line) => /left out: proxy_(?:redirect|cookie)/.test(line)).length, 3)
})

test('Unix sockets, in proxy_pass with a path, and in upstream', (t) => {
  const one = balancer(t, 'location /api/ { proxy_pass http://unix:/run/a.sock:/v1/; }')
  assert.deepEqual([one.backends, one.rewrite, one.host], [['unix:/run/a.sock'], { prefix: '/v1' }, 'localhost'])
  const secure = balancer(t, 'location / { proxy_pass https://unix:/run/a.sock; }')
  assert.deepEqual(secure.backends, ['https://unix:/run/a.sock'])
  const upstream = 'upstream web { server unix:/run/a.sock weight=2; server b:1 max_fails=5; }'
  const { backends, circuitBreaker } = balancer(t, 'location / { proxy_pass http://web; }', upstream)
  assert.deepEqual(backends, [{ url: 'unix:/run/a.sock', weight: 2 }, 'http://b:1'])
  assert.deepEqual(Object.keys((circuitBreaker as { backends: object }).backends), ['http://b:1'])
})

test('guards of a location, and of what is around it, close it', (t) => {
  for (const guard of [
    'allow 10.0.0.0/8; deny all;',
    'auth_basic "staff";',
    'auth_request /auth;',
    'internal;',
    'return 403;',
    'if ($bad) { return 403; }',
    'limit_except GET { deny all; }',
    'access_by_lua_block { ngx.exit(403) }',
    'js_access main.allowed;',
    'auth_ldap "staff";',
    'modsecurity on;',
  ]) {
    const inner = `location /in/ { ${guard} proxy_pass http://a:1; }\nlocation / { proxy_pass http://a:1; }`
    const [first, second] = fromNginx(t, site(inner)).written.balancers
    assert.deepEqual([first!.prefix, first!.backends, second!.backends], ['/in', [], ['http://a:1']], guard)
  }
  const around = fromNginx(t, site('location / { proxy_pass http://a:1; }', 'auth_basic "staff";'))
  assert.deepEqual(around.written.balancers[0]!.backends, [])
  assert.match(around.yaml, /answered with 503 because of auth_basic staff .*: http:\/\/a:1/)
  assert.equal(around.isComplete, false)
})

test('listeners: addresses, both versions of IP, sockets, certificates and HTTP/2', (t) => {
  const { written, file } = fromNginx(
    t,
    site(`listen 80;
      listen [::]:80;
      listen 127.0.0.1:8080;
      listen unix:/run/site.sock;
      listen 443 ssl http2;
      ssl_certificate site.pem;
      ssl_certificate_key /etc/site.key;
      location / { proxy_pass http://a:1; }`),
  )
  const cert = file.replace('nginx.conf', 'site.pem')
  assert.deepEqual(written.listen, [
    { port: 80, host: '::' },
    { port: 8080, host: '127.0.0.1' },
    { path: '/run/site.sock' },
    { port: 443, host: '0.0.0.0', tls: { cert, key: '/etc/site.key' }, http2: true },
  ])
})

test('a port that only redirects to https is not opened', (t) => {
  const http = 'server { listen 80; server_name a.example; return 301 https://a.example$request_uri; }'
  const result = fromNginx(
    t,
    site('listen 443 ssl; ssl_certificate c; ssl_certificate_key k; location / { proxy_pass http://a:1; }', http),
  )
  assert.deepEqual(
    result.written.listen.map(({ port }) => port),
    [443],
  )
  assert.ok(told(result).some((line) => line.startsWith('nginx.conf:3: left out: listen 80: ')))
  assert.ok(told(result).some((line) => line.startsWith('nginx.conf:3: left out: return 301 ')))
})

test('one site on two ports, plain and with TLS, is one balancer with two listeners', (t) => {
  const location =
    'server_name a.example; location / { proxy_pass http://b:1$request_uri; proxy_set_header Host $host; }'
  const result = fromNginx(
    t,
    site(`listen 443 ssl; ssl_certificate c; ssl_certificate_key k; ${location}`, `server { listen 80; ${location} }`),
  )
  assert.deepEqual(
    result.written.listen.map(({ port, tls }) => [port, tls !== undefined]),
    [
      [80, false],
      [443, true],
    ],
  )
  assert.equal(result.written.balancers.length, 1)
  assert.ok(result.isComplete, result.report.join('\n'))
})

test('sites that differ by port alone: the first one, and the other is reported', (t) => {
  const server = (port: number) =>
    `server { listen ${port}; server_name x; location / { proxy_pass http://b:${port}; } }`
  for (const [http, backends] of [
    [server(80) + server(80), ['http://b:80']],
    [server(8080) + server(8081), ['http://b:8080', 'http://b:8081']],
  ] as const) {
    const result = fromNginx(t, `events {} http {\n${http}\n}`)
    assert.deepEqual(
      result.written.balancers.flatMap((one) => one.backends),
      backends,
    )
    const places = result.written.balancers.map(({ prefix, constraints }) => JSON.stringify([prefix, constraints]))
    assert.equal(new Set(places).size, places.length)
  }
})

test('certificates of https backends are verified only where nginx does so', (t) => {
  const tlsFor = (line: string) => balancer(t, `${line} location / { proxy_pass https://a:1; }`).pool?.tls
  assert.deepEqual(tlsFor(''), { rejectUnauthorized: false })
  assert.deepEqual(tlsFor('proxy_ssl_verify on; proxy_ssl_trusted_certificate /etc/ca.pem;'), {
    ca: { file: '/etc/ca.pem' },
  })
})

test('includes, and files that hold only what is within http', (t) => {
  const { written, report } = fromNginx(
    t,
    'include *.inc;\nserver { listen 81; location / { proxy_pass http://web; } }\n',
    {
      'a.inc': '\nupstream web { server a:1; sticky; }\n',
      'b.inc': '# nothing\n',
    },
  )
  assert.deepEqual(written.balancers[0]!.backends, ['http://a:1'])
  assert.ok(report.some((line) => line.startsWith('a.inc:2: left out: sticky: ')))
})

test('what nobody knows is left out, never dropped', (t) => {
  const result = fromNginx(
    t,
    site('frobnicate on; location / { proxy_pass http://a:1; proxy_frob 3; }', 'stream_frob;'),
  )
  for (const name of ['frobnicate on', 'proxy_frob 3', 'stream_frob'])
    assert.ok(
      told(result).some((line) => line.includes(`left out: ${name}: there is no counterpart`)),
      name,
    )
  assert.equal(result.isComplete, false)
})

test('quotes, escapes, comments and variables with braces', (t) => {
  const { host, report } = balancer(
    t,
    `location "/a b/" { proxy_pass http://a:1; } # a { comment
     location / { proxy_pass http://a:1; proxy_set_header Host 'one.example'; proxy_set_header X-A "\${scheme} \\"x\\" # ;"; }`,
  )
  assert.equal(host, 'one.example')
  assert.ok(
    report.some((line) => line.includes('left out: proxy_set_header X-A ${scheme} "x" # ;: ')),
    report.join('\n'),
  )
})

test('a file that cannot be read is refused with its place', (t) => {
  const faults: Record<string, RegExp> = {
    'http { server {': /nginx\.conf:1: the block that is opened here is never closed/,
    'http {}\n}': /nginx\.conf:2: unexpected }/,
    'http {\n proxy_pass x }': /nginx\.conf:2: proxy_pass has no ; at its end/,
    "http { add_header A 'x; }": /nginx\.conf:1: a quote is opened here and never closed/,
    ['a {\n'.repeat(200_000)]: /nginx\.conf:101: blocks are nested too deeply/,
    'include nginx.conf;': /include each other in a circle/,
  }
  for (const [text, message] of Object.entries(faults))
    assert.throws(() => fromNginx(t, text), { message, exitCode: 2 }, text)
})

test('a body that nginx takes off is not forwarded without a word', (t) => {
  const { isComplete, report } = balancer(t, 'location / { proxy_pass http://a:1; proxy_pass_request_body off; }')
  assert.equal(isComplete, false)
  assert.match(report.join('\n'), /left out: proxy_pass_request_body off/)
})
