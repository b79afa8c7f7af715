import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { readConfiguration } from '../../src/configuration/reading.ts'
import { importCommand } from '../../src/import/import-command.ts'
import { writeFiles } from './stage.ts'

const whole = `events {}
http {
  server { listen 8080; location / { proxy_pass http://10.0.0.1:3000; proxy_set_header Host $http_host; } }
}
`

/** Runs it: the exit code, and what was written to each stream. */
async function run(t: TestContext, ...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const mocks = [
    t.mock.method(process.stdout, 'write', (text: string) => out.push(text) > 0),
    t.mock.method(process.stderr, 'write', (text: string) => err.push(text) > 0),
  ]
  try {
    const code = await importCommand(args)
    return { code, out: out.join(''), err: err.join('') }
  } finally {
    for (const { mock } of mocks) mock.restore()
  }
}

/** What reads our file thinks of it. */
async function faultsIn(t: TestContext, yaml: string) {
  return (await readConfiguration(writeFiles(t, { 'fastify-balancer.yaml': yaml }), {})).faults
}

test('a file that is carried over as a whole: exit code 0, and a file that can be run', async (t) => {
  const { code, out, err } = await run(t, writeFiles(t, { 'nginx.conf': whole }))
  assert.equal(code, 0, err)
  assert.match(
    out,
    /^# yaml-language-server: \$schema=\S+\/configuration\.schema\.json\n#\n# Imported from \S+ \(nginx\)\./,
  )
  assert.match(out, /nginx\.conf:3/)
  assert.deepEqual(await faultsIn(t, out), [])
})

test('a secret that the file needs is a variable in it', async (t) => {
  const sticky = whole
    .replace('http {', 'http { upstream web { sticky cookie srv; server a:1; }')
    .replace(/10[^;]*/, 'web')
  const { code, out, err } = await run(t, writeFiles(t, { 'nginx.conf': sticky }))
  assert.equal(code, 0, err)
  const path = writeFiles(t, { 'fastify-balancer.yaml': out })
  const [fault] = (await readConfiguration(path, {})).faults
  assert.match(fault!.message, /STICKY_SECRET/)
  const { faults, configuration } = await readConfiguration(path, { STICKY_SECRET: 'a secret of the test' })
  assert.deepEqual(faults, [])
  assert.deepEqual(configuration!.balancers[0]!.sticky, { cookie: 'srv', secret: ['a secret of the test'] })
})

test('something is left out: exit code 1, with its line and the reason on standard error', async (t) => {
  const { code, out, err } = await run(t, writeFiles(t, { 'nginx.conf': whole.replace('http {', 'http { gzip on;') }))
  assert.equal(code, 1)
  assert.match(err, /nginx\.conf:2: left out: gzip on: responses are forwarded as the backend sent them/)
  assert.deepEqual(await faultsIn(t, out), [])
})

test('texts that mean something in our file are written such that they mean themselves', async (t) => {
  const text = whole.replace('$http_host', '"a: \\${b} # c"')
  const { out } = await run(t, writeFiles(t, { 'nginx.conf': text }))
  assert.deepEqual(await faultsIn(t, out), [])
  const haproxy = `listen w
  mode http
  bind :80
  option httpchk GET '/up?a=\${b}'
  server 's: #\${c}' "$BACKEND_OF_TEST" check
`
  await assert.rejects(run(t, writeFiles(t, { 'haproxy.cfg': haproxy })), {
    message: /haproxy\.cfg:5: the variable BACKEND_OF_TEST is not set/,
  })
  process.env['BACKEND_OF_TEST'] = 'a:1'
  t.after(() => delete process.env['BACKEND_OF_TEST'])
  const again = await run(t, writeFiles(t, { 'haproxy.cfg': haproxy }))
  const { configuration } = await readConfiguration(writeFiles(t, { 'a.yaml': again.out }), {})
  const [balancer] = configuration!.balancers
  assert.deepEqual(balancer!.backends, [{ url: 'http://a:1', id: 's: #${c}' }])
  assert.equal((balancer!.healthCheck as { path: string }).path, '/up?a=${b}')
})

test('which program a file is for is seen from it, or said', async (t) => {
  const haproxy = 'listen web\n  mode http\n  bind :80\n  balance roundrobin\n  server a 10.0.0.1:80\n'
  assert.match((await run(t, writeFiles(t, { 'site.conf': haproxy }))).out, /\(HAProxy\)/)
  assert.match((await run(t, writeFiles(t, { 'site.cfg': whole }))).out, /\(nginx\)/)
  assert.match((await run(t, '--from', 'haproxy', writeFiles(t, { a: haproxy }))).out, /\(HAProxy\)/)
})

test('what cannot be done: exit code 2, or 1 where there is nothing to do', async (t) => {
  const file = writeFiles(t, { 'nginx.conf': whole })
  const faults: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /import needs one file/],
    [[file, file], /import needs one file/],
    [[join(file, 'x')], /cannot read .*x/],
    [['--from', 'apache', file], /--from must be nginx or haproxy, not apache/],
    [['--form', 'nginx', file], /unknown option '--form' \(did you mean --from\?\); see import --help/],
  ]
  for (const [args, message] of faults)
    await assert.rejects(importCommand(args), { message, exitCode: 2 }, args.join(' '))
  const { code, out, err } = await run(t, writeFiles(t, { 'nginx.conf': 'events {}\nhttp {}\n' }))
  assert.deepEqual([code, out], [1, ''])
  assert.match(err, /there is nothing in it/)
})

test('passwords in a file are not printed in the report', async (t) => {
  const text = whole.replace('http {', 'http { frob http://name:secret@host/;')
  const { err } = await run(t, writeFiles(t, { 'nginx.conf': text }))
  assert.ok(err.includes('frob') && !err.includes('secret'), err)
})
