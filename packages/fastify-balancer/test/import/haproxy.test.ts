import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fromHaproxy, type Imported } from './stage.ts'

/** Of the report, what counts: without lines about what is not needed. */
const told = ({ report }: Imported) => report.filter((line) => !line.includes(': not needed: '))

/** One `listen` section with this inside. */
const balancer = (t: TestContext, inner: string) => {
  const result = fromHaproxy(t, `listen web\nmode http\nbind :80\noption redispatch\nbalance roundrobin\n${inner}\n`)
  return { ...result, ...result.written.balancers[0]! }
}

test("HAProxy's own defaults are written where ours differ", (t) => {
  const result = balancer(t, 'server a 10.0.0.1:80\nserver b 10.0.0.2:80')
  assert.deepEqual(result.timeouts, { connect: 0, headers: 0, idle: 0, queue: 0 })
  assert.deepEqual(result.retry, { attempts: 0 })
  assert.deepEqual(
    [result.panicThreshold, result.healthCheck, result.circuitBreaker, result.forwarded],
    [false, false, false, { xForwarded: false }],
  )
  assert.deepEqual(result.backends, [
    { url: 'http://10.0.0.1:80', id: 'a' },
    { url: 'http://10.0.0.2:80', id: 'b' },
  ])
  assert.ok(result.isComplete, result.report.join('\n'))
})

test('servers: weight, maxconn, backups in their order, disabled ones, and default-server', (t) => {
  const { backends, queue, pool, report } = balancer(
    t,
    `default-server maxconn 2000 backup
server a 10.0.0.1:80 no-backup weight 10
server b 10.0.0.2:80
server c 10.0.0.3:80 maxconn 5
server d 10.0.0.4:80 disabled
server e 10.0.0.5:80 weight 0
server f 10.0.0.6 check`,
  )
  assert.deepEqual(backends, [
    { url: 'http://10.0.0.1:80', id: 'a', weight: 10, maxInFlight: 2000 },
    { url: 'http://10.0.0.2:80', id: 'b', priority: 1, maxInFlight: 2000 },
    { url: 'http://10.0.0.3:80', id: 'c', priority: 2, maxInFlight: 5 },
  ])
  assert.deepEqual([queue, pool], [{ max: 1_000_000 }, { connections: 2000 }])
  assert.ok(report.some((line) => /:10: not needed: server d .*disabled/.test(line)))
  assert.ok(report.some((line) => /:11: left out: server e .*least weight is 1/.test(line)))
  assert.ok(report.some((line) => /:12: left out: server f .*a port/.test(line)))
  const all = balancer(t, 'option allbackups\nserver a a:1 backup\nserver b b:1 backup')
  assert.deepEqual(
    (all.backends as readonly { priority: number }[]).map(({ priority }) => priority),
    [1, 1],
  )
})

test('servers at Unix sockets', (t) => {
  const { backends, report } = balancer(
    t,
    'server a /run/a.sock\nserver b unix@/run/b.sock ssl verify none weight 3\nserver c abns@c\nserver d 10.0.0.1:80/x',
  )
  assert.deepEqual(backends, [
    { url: 'unix:/run/a.sock', id: 'a' },
    { url: 'https://unix:/run/b.sock', id: 'b', weight: 3 },
  ])
  assert.equal(report.filter((line) => /left out: server [cd] .*the whole path of a Unix socket/.test(line)).length, 2)
})

test('servers that are told of clients', (t) => {
  const { backends, isComplete } = balancer(
    t,
    'server a 10.0.0.1:80 send-proxy\nserver b 10.0.0.2:80 send-proxy-v2\nserver c 10.0.0.3:80',
  )
  assert.deepEqual(backends, [
    { url: 'http://10.0.0.1:80', id: 'a', proxyProtocol: 'v1' },
    { url: 'http://10.0.0.2:80', id: 'b', proxyProtocol: 'v2' },
    { url: 'http://10.0.0.3:80', id: 'c' },
  ])
  assert.ok(isComplete)
})

test('checks', (t) => {
  const check = (inner: string) => balancer(t, inner).healthCheck as Record<string, unknown>
  const tcp = check('server a a:1 check')
  assert.deepEqual(
    [tcp['type'], tcp['interval'], tcp['timeout'], tcp['rise'], tcp['fall'], tcp['jitter'], tcp['fastInterval']],
    ['tcp', 2000, 2000, 2, 3, 0, 2000],
  )
  const http = check(
    `option httpchk\nhttp-check send meth GET uri /up ver HTTP/1.1 hdr Host up.example hdr X-A b
http-check expect status 200,204,300-302\ntimeout check 5s
server a a:1 check inter 1m fastinter 1s downinter 10s rise 1 fall 4 port 99`,
  )
  const { outliers: _, pressure: __, ...rest } = http
  assert.deepEqual(rest, {
    method: 'GET',
    path: '/up',
    host: 'up.example',
    headers: { 'x-a': 'b' },
    expect: { statuses: [200, 204, '300-302'] },
    port: 99,
    interval: 60_000,
    timeout: 5000,
    rise: 1,
    fall: 4,
    fastInterval: 1000,
    downInterval: 10_000,
    jitter: 0,
  })
  assert.equal(check('option httpchk\nserver a a:1 check')['method'], 'OPTIONS')
  assert.equal(check('option httpchk /x\nserver a a:1 check')['path'], '/x')
  const mixed = balancer(t, 'server a a:1 check\nserver b b:1\nserver c c:1 check inter 9s')
  assert.ok(told(mixed).some((line) => /:7: left out: .*no check/.test(line)))
  assert.ok(told(mixed).some((line) => /:8: left out: .*inter is one for all/.test(line)))
})

test('policies', (t) => {
  const policyFor = (line: string) => balancer(t, `balance ${line}\nserver a a:1`)
  assert.deepEqual(
    ['roundrobin', 'static-rr', 'leastconn', 'random', 'random(2)', 'random(1)'].map((name) => policyFor(name).policy),
    ['round-robin', 'round-robin', 'least-requests', 'p2c', 'p2c', 'random'],
  )
  for (const name of ['first', 'random(3)', 'rdp-cookie', 'hash ssl_fc_session_id'])
    assert.match(told(policyFor(name))[0]!, /haproxy\.cfg:6: left out: balance .*no such policy/)
  const unsaid = fromHaproxy(t, 'listen web\nmode http\nbind :80\noption redispatch\nserver a a:1\n')
  assert.match(told(unsaid)[0]!, /haproxy\.cfg:1: differs: listen web: no balance is given/)
})

test('clients that are kept at one server: by a cookie that is inserted, with a secret from the environment', (t) => {
  const secret = ['${STICKY_SECRET}']
  const servers = 'server a a:1 cookie x\nserver b b:1 cookie y'
  for (const [line, sticky, further] of [
    ['SRV insert indirect nocache', { cookie: 'SRV', secret }, ''],
    [
      'SRV insert indirect nocache httponly secure domain .example.com maxlife 2h attr "SameSite=Strict"',
      { cookie: 'SRV', secret, secure: true, sameSite: 'strict', domain: 'example.com', maxAge: 7_200_000 },
      '',
    ],
    ['SRV insert maxidle 1h', { cookie: 'SRV', secret }, '; backends do not see the cookie; there is no maxidle'],
  ] as const) {
    const result = balancer(t, `cookie ${line}\n${servers}`)
    assert.deepEqual([result.sticky, result.isComplete], [sticky, true], line)
    const report = told(result).find((one) => one.includes('STICKY_SECRET'))!
    assert.ok(report.endsWith(`clients are bound anew${further}`), report)
  }
  const inherited = fromHaproxy(
    t,
    `defaults\ncookie SRV insert indirect\nlisten web\nmode http\nbind :80\noption redispatch\nbalance roundrobin\n${servers}\n`,
  )
  assert.deepEqual(inherited.written.balancers[0]!.sticky, { cookie: 'SRV', secret })
  for (const [lines, reason] of [
    [`cookie SRV prefix\n${servers}`, /only a cookie that is inserted/],
    ['cookie SRV insert\nserver a a:1', /no server has a value of it/],
    [servers, /cookie: clients are not kept at one backend/],
  ] as const) {
    const result = balancer(t, lines)
    assert.deepEqual([result.sticky, result.isComplete], [undefined, false])
    assert.ok(told(result).some((line) => line.includes('left out') && reason.test(line)))
  }
})

test('policies by a hash', (t) => {
  const policyFor = (...lines: string[]) => balancer(t, `balance ${lines.join('\n')}\nserver a a:1`)
  const hashed = (key: object, balance: number | false = false) => ({
    name: 'maglev',
    key,
    balance,
    policy: 'round-robin',
  })
  for (const [line, key] of [
    ['source', { address: true }],
    ['uri', { path: true }],
    ['uri depth 3', { path: 3 }],
    ['hdr(X-User)', { header: 'x-user' }],
    ['url_param user', { query: 'user' }],
    ['hash src', { address: true }],
    ['hash req.hdr(X-User)', { header: 'x-user' }],
    ['hash req.cook(sid)', { cookie: 'sid' }],
    ['hash url_param(user)', { query: 'user' }],
    ['hash path', { path: true }],
  ] as const) {
    const result = policyFor(line, 'hash-type consistent sdbm avalanche')
    assert.deepEqual(result.policy, hashed(key))
    assert.deepEqual(
      told(result).map((one) => one.replace(/^.*: differs: balance [^:]*: /, '')),
      ['a key stays at one server, but not at the one that HAProxy has for it'],
    )
  }
  const factor = 'hash-balance-factor 150'
  assert.deepEqual(policyFor('source', 'hash-type consistent', factor).policy, hashed({ address: true }, 1.5))
  // Without consistent hashing, HAProxy ignores it.
  assert.deepEqual(policyFor('source', factor).policy, hashed({ address: true }))
  for (const [line, why] of [
    ['uri whole', /the query is not a part/],
    ['uri len 9', /however long/],
    ['url_param user check_post', /not looked for in bodies/],
    ['hdr(host) use_domain_only', /the whole host/],
  ] as const)
    assert.match(told(policyFor(line)).join('\n'), why)
})

test('timeouts and retries, from defaults too', (t) => {
  const { written, report } = fromHaproxy(
    t,
    `defaults base
mode http
timeout connect 500
timeout server 1m
timeout client 2m
timeout queue 3s
retries 5
option redispatch
defaults other from base
retry-on conn-failure 503 all-retryable-errors
balance roundrobin
frontend web from other
bind :80
default_backend app
backend app from other
no option redispatch
server a a:1
`,
  )
  const [app] = written.balancers
  assert.deepEqual(app!.timeouts, { connect: 500, headers: 60_000, idle: 60_000, queue: 3000 })
  assert.deepEqual(app!.retry, {
    attempts: 5,
    statuses: [503, 408, 425, 429, 500, 501, 502, 504],
    budget: { ratio: 1, floor: 1_000_000 },
  })
  assert.ok(report.some((line) => /:5: differs: timeout client 2m: one limit/.test(line)))
  assert.ok(report.some((line) => /:7: differs: retries 5: HAProxy repeats/.test(line)))
})

test('TLS on both sides', (t) => {
  const { listen, balancers } = balancer(
    t,
    `bind [::]:443 ssl crt /etc/site.pem alpn h2,http/1.1
bind /run/site.sock
server a a:1 ssl verify required ca-file /etc/ca.pem sni str(api.example) verifyhost api.example`,
  ).written
  assert.deepEqual(listen, [
    { port: 80, host: '0.0.0.0' },
    { port: 443, host: '::', tls: { cert: '/etc/site.pem', key: '/etc/site.pem' }, http2: true },
    { path: '/run/site.sock' },
  ])
  assert.deepEqual(balancers[0]!.pool?.tls, { ca: { file: '/etc/ca.pem' }, servername: 'api.example' })
  assert.deepEqual(balancer(t, 'server a a:1 ssl verify none').pool?.tls, { rejectUnauthorized: false })
})

test('certificates are looked for in crt-base; a folder of them is left out, and not opened without TLS', (t) => {
  const { written, report } = fromHaproxy(
    t,
    `global
crt-base /etc/certs
ca-base /etc/ca
ssl-default-bind-options ssl-min-ver TLSv1.3
listen web
mode http
balance roundrobin
option redispatch
bind :443 ssl crt site.pem
bind :444 ssl crt /etc/certs/
server a a:1 ssl ca-file internal.pem
`,
  )
  assert.deepEqual(written.listen, [
    { port: 443, host: '0.0.0.0', tls: { cert: '/etc/certs/site.pem', key: '/etc/certs/site.pem' } },
  ])
  assert.deepEqual(written.balancers[0]!.pool?.tls, { ca: { file: '/etc/ca/internal.pem' } })
  assert.ok(report.some((line) => line.startsWith('haproxy.cfg:4: left out: ssl-default-bind-options ')))
  assert.ok(report.some((line) => line.startsWith('haproxy.cfg:10: left out: bind :444 ')))
})

test('headers that say what xForwarded says are carried over by it', (t) => {
  const forwarded = (lines: string) => balancer(t, `${lines}\nserver a a:1`)
  for (const lines of [
    'option forwardfor',
    'http-request set-header X-Forwarded-Proto https if { ssl_fc }',
    'option forwardfor\nhttp-request set-header X-Forwarded-Host %[req.hdr(Host)]\nhttp-request add-header X-Forwarded-For %[src]',
  ]) {
    const result = forwarded(lines)
    assert.deepEqual(result.forwarded, { xForwarded: true }, lines)
    assert.ok(result.isComplete, result.report.join('\n'))
  }
  const other = forwarded('http-request set-header X-Forwarded-Proto http\nhttp-request set-header X-A b')
  assert.deepEqual(other.forwarded, { xForwarded: false })
  assert.equal(told(other).filter((line) => line.includes('left out: http-request set-header')).length, 2)
})

test('a plain port that only redirects to https is not opened', (t) => {
  const { written, report } = balancer(
    t,
    'bind :443 ssl crt /etc/site.pem\nhttp-request redirect scheme https unless { ssl_fc }\nserver a a:1',
  )
  assert.deepEqual(
    written.listen.map(({ port }) => port),
    [443],
  )
  assert.ok(report.some((line) => /:3: left out: bind :80: .*not opened/.test(line)))
  assert.ok(report.some((line) => /:7: left out: http-request redirect/.test(line)))
})

test('conditions that our file cannot say leave a rule out; refusals of unknown extent close everything', (t) => {
  const frontend = (rule: string) =>
    fromHaproxy(
      t,
      `frontend web\nmode http\nbind :80\n${rule}\ndefault_backend app\nbackend app\nmode http\nserver a a:1\nbackend b\nserver b b:1\n`,
    )
  for (const rule of [
    'if { path_end .css }',
    'unless { path_beg /a/ }',
    'if !{ path_beg /a/ }',
    'if { hdr_dom(host) a }',
  ]) {
    const result = frontend(`use_backend b ${rule}`)
    assert.equal(result.written.balancers.length, 1, rule)
    assert.ok(
      told(result).some((line) => line.startsWith('haproxy.cfg:4: left out: use_backend b ')),
      rule,
    )
  }
  assert.deepEqual(frontend('http-request auth').written.balancers, [])
  assert.deepEqual(frontend('http-request deny if { src 10.0.0.0/8 }').written.balancers, [])
  const limited = frontend('http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100 }')
  assert.equal(limited.written.balancers.length, 1)
  assert.ok(told(limited).some((line) => line.startsWith('haproxy.cfg:4: left out: http-request deny ')))
})

test('only HTTP; what nobody knows is left out, never dropped', (t) => {
  const result = fromHaproxy(
    t,
    `listen db\nbind :5432\nserver a a:5432\nlisten web\nmode http\nbind :80\nfrobnicate 3\nserver b b:80 frob 4\n`,
  )
  assert.deepEqual(
    result.written.balancers.map(({ name }) => name),
    ['web'],
  )
  for (const line of [
    'haproxy.cfg:1: left out: listen db: only HTTP',
    'haproxy.cfg:7: left out: frobnicate 3: ',
    'haproxy.cfg:8: left out: ',
  ])
    assert.ok(
      told(result).some((one) => one.startsWith(line)),
      line,
    )
})

test('a file that cannot be read is refused with its place', (t) => {
  assert.throws(() => fromHaproxy(t, 'mode http\n'), {
    message: /:1: mode stands before the first section/,
    exitCode: 2,
  })
  assert.throws(() => fromHaproxy(t, 'global\n log "x\n'), { message: /:2: a quote is opened here/, exitCode: 2 })
})

test('where clients need a certificate, nothing is opened', (t) => {
  const { written, report } = fromHaproxy(
    t,
    'frontend web\nmode http\nbind :80\nbind :443 ssl crt site.pem ca-file ca.pem verify required\ndefault_backend a\nbackend a\nmode http\nserver a 10.0.0.1:80\n',
  )
  assert.deepEqual(
    written.listen.map(({ port }) => port),
    [80],
  )
  assert.match(report.join('\n'), /left out: bind :443 .*certificates of clients are not checked; it is not opened/)
})
