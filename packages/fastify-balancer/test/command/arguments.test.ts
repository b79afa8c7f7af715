import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { CommandError } from '../../src/command-error.ts'
import { readArguments, type ServeCommand } from '../../src/command/arguments.ts'
import { help } from '../../src/command/help.ts'
import { options } from '../../src/command/options.ts'

const a = 'http://127.0.0.1:3001'

function read(argv: readonly string[], environment = {}): ServeCommand {
  const command = readArguments(argv, environment)
  assert.equal(command.kind, 'serve')
  return command
}

const configured = (...argv: string[]) => read(argv).configuration
const listenerOf = (...argv: string[]) => configured(a, ...argv).listen[0]
const backendsOf = (...argv: string[]) => configured(...argv).balancers[0]!.backends

function file(t: TestContext, text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'arguments-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), text)
  chmodSync(join(folder, 'file'), mode)
  return join(folder, 'file')
}

describe('arguments that are wrong: one line, with what to do', () => {
  const cases: [string[], RegExp][] = [
    [['--prot', '1'], /unknown option '--prot' \(did you mean --port\?\)/],
    [['--dashbord'], /unknown option '--dashbord' \(did you mean --dashboard\?\)/],
    [['--health'], /unknown option '--health' \(did you mean --health-path\?\)/],
    [['--colour'], /unknown option '--colour';/],
    [['--check', '/x'], /unknown option '--check': use --health-path/],
    [['--quiet'], /use --log off/],
    [['--cert', 'x'], /use --tls-cert/],
    [['-x'], /unknown option '-x'/],
    [['--health-path', 'health'], /--health-path must be a path such as \/health, or off, not 'health'/],
    [['--health-path', '/a b'], /--health-path must be a path/],
    [['--help=yes'], /'-h, --help' does not take an argument/],
    [['--port'], /--port needs a value/],
    [['-p'], /--port needs a value/],
    [['--port', '--host', 'x'], /--port needs a value/],
    [['--port', 'http'], /--port must be a whole number from 0 to 65535, not 'http'/],
    [['--port', '65536'], /--port must be a whole number from 0 to 65535, not '65536'/],
    [['--port=-1'], /--port must be .* not '-1'/],
    [['--port='], /--port must be .* not ''/],
    [['--host='], /--host needs a value/],
    [['--drain-deadline', '1s'], /--drain-deadline must be a whole number from 0 to \d+, not '1s'/],
    [['--log', 'xml'], /--log must be one of pretty, json, off, not 'xml'/],
    [['--policy', 'best'], /--policy must be one of round-robin, weighted, random, p2c, least-requests, .*not 'best'/],
    [
      ['--policy', 'zones', '1'],
      /--policy zones needs settings: give them in a file, as `policy: \{ name: zones, … \}`/,
    ],
    [['--policy', 'round_robin'], /not 'round_robin' \(did you mean round-robin\?\)/],
    [['--tls-cert', 'x'], /--tls-cert needs --tls-key/],
    [['--tls-key', 'x'], /--tls-key needs --tls-cert/],
    [['--http2'], /--http2 needs --tls-cert and --tls-key/],
    [['--proxy-protocol', 'my-proxy'], /--proxy-protocol: 'my-proxy' is not an address/],
    [['--proxy-protocol', '10.0.0.0/8,'], /--proxy-protocol: '' is not an address/],
    [['--trust-proxy=my-proxy'], /--trust-proxy: 'my-proxy' is not an address/],
    [['--trust-proxy=10.0.0.0/33'], /--trust-proxy: '10.0.0.0\/33' is not an address/],
    [['--workers', '0', a], /--workers must be a whole number from 1 to 512, or auto, not '0'/],
    [['--workers', '2', '--port', '0'], /--workers needs backends: the demo runs in one process/],
    [['--config', 'f', '--workers', 'all'], /--workers must be a whole number/],
    [['--config', 'f', '--port', '1'], /--port cannot be used with --config: set it in 'f'/],
    [['--config', 'f', a], /addresses cannot be used with --config/],
    [['start'], /'start' has no port: expected an address such as start:3000/],
    [['localhost'], /'localhost' has no port: expected an address such as localhost:3000/],
    [['two\nlines'], /'two\nlines' is not an address/],
    [['http://'], /'http:\/\/' is not an address/],
    [['127.0.0.1:99999'], /'127.0.0.1:99999' is not an address/],
    [['99999'], /'99999' is not a port/],
    [['0'], /'0' is not a port/],
    [['ftp://127.0.0.1'], /must begin with http:\/\/, https:\/\/ or unix:/],
    [[`${a}?query`], /must be an address without \? and #/],
    [['unix:app.sock'], /must name a socket by its whole path/],
    [[`${a}=0`], /the weight of 'http:\/\/127.0.0.1:3001' must be a whole number from 1 to 65535, not '0'/],
    [[`${a}=`], /the weight of .* not ''/],
    [[`${a}=1.5`], /the weight of .* not '1.5'/],
    [[a, '127.0.0.1:3001'], /http:\/\/127.0.0.1:3001 is given twice: .* as in http:\/\/127.0.0.1:3001=2/],
    [['3001', '127.0.0.1:3001=2'], /http:\/\/127.0.0.1:3001 is given twice/],
  ]
  for (const [argv, message] of cases)
    test(JSON.stringify(argv.join(' ')), () => {
      assert.throws(
        () => readArguments(argv, {}),
        (error: CommandError) => {
          assert.ok(error instanceof CommandError)
          assert.equal(error.exitCode, 2)
          assert.match(error.message, message)
          assert.match(error.message, /; see --help$/)
          return true
        },
      )
    })
})

describe('what is said of wrong arguments names no password, no token and no query', () => {
  const cases: readonly (readonly string[])[] = [
    ['http://user:secret@127.0.0.1:3001'],
    ['http://user:secret@127.0.0.1:3001=x'],
    ['https://user:sec/secret@127.0.0.1'],
    ['http://127.0.0.1:3001/path?token=secret'],
    ['ftp://user:secret@127.0.0.1'],
    ['user:secret@127.0.0.1:3001'],
    ['not an address//user:secret@h'],
    ['--port', 'http://user:secret@h'],
    ['--policy', 'http://user:secret@h'],
    ['--health-path', 'health?token=secret'],
    ['--unknown=http://user:secret@h'],
    ['--admin-token', 'secret', a],
    ['--admin-token=secret', a],
    ['--token=secret', a],
  ]
  for (const argv of cases)
    test(argv.join(' '), () => {
      assert.throws(
        () => readArguments(argv, {}),
        ({ message }: Error) => {
          assert.match(message, /; see --help$/)
          assert.doesNotMatch(message, /secret/)
          return true
        },
      )
    })

  test('why there is no --admin-token', () => {
    const inList = /list of processes: use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN/
    assert.throws(() => readArguments(['--admin-token', 'secret'], {}), inList)
  })
})

test('a backend is a URL, host and port, or a port of this machine; with a weight or without', () => {
  assert.deepEqual(
    backendsOf(
      '--',
      a,
      'localhost:3002',
      ':3003',
      '3004',
      '[::1]:3005',
      'https://h=5',
      '3006=2',
      'unix:/run/a.sock:/b=4',
      'h:1/b/',
    ),
    [
      { url: a },
      { url: 'http://localhost:3002' },
      { url: 'http://127.0.0.1:3003' },
      { url: 'http://127.0.0.1:3004' },
      { url: 'http://[::1]:3005' },
      { url: 'https://h', weight: 5 },
      { url: 'http://127.0.0.1:3006', weight: 2 },
      { url: 'unix:/run/a.sock:/b', weight: 4 },
      { url: 'http://h:1/b' },
    ],
  )
})

test('where it listens: options, then PORT, then 127.0.0.1:8080', () => {
  assert.deepEqual(listenerOf(), { port: 8080, host: '127.0.0.1' })
  assert.deepEqual(listenerOf('-p', '0', '--host', '[::]'), { port: 0, host: '::' })
  assert.equal(read([a], { PORT: '5000' }).configuration.listen[0]!.port, 5000)
  assert.equal(read([a, '--port', '1'], { PORT: '5000' }).configuration.listen[0]!.port, 1)
  assert.equal(read([a], { PORT: '' }).configuration.listen[0]!.port, 8080)
  assert.throws(() => read([a], { PORT: 'http' }), /the variable PORT must be a whole number from 0 to 65535/)
  assert.deepEqual(listenerOf('--tls-cert', 'c', '--tls-key', 'k', '--http2'), {
    port: 8080,
    host: '127.0.0.1',
    tls: { cert: 'c', key: 'k' },
    http2: true,
  })
})

test('--trust-proxy takes a list, or none', () => {
  const privateNetworks = ['loopback', 'linklocal', 'uniquelocal']
  const trusted = (...argv: string[]) => {
    const { listen, balancers } = configured(...argv)
    assert.deepEqual(balancers[0]!.backends, [{ url: a }])
    return listen[0]!.trustProxy
  }
  assert.deepEqual(trusted('--trust-proxy', a), privateNetworks)
  assert.deepEqual(trusted(a, '--trust-proxy'), privateNetworks)
  assert.deepEqual(trusted('--trust-proxy', '10.0.0.0/8', a), ['10.0.0.0/8'])
  assert.deepEqual(trusted('--trust-proxy=192.0.2.1, 2001:db8::/32', a), ['192.0.2.1', '2001:db8::/32'])
  assert.equal(trusted('--trust-proxy=all', a), true)
  assert.equal(trusted(a), undefined)
})

test('--proxy-protocol takes a list', () => {
  const [listener] = configured('--proxy-protocol', '10.0.0.0/8, 2001:db8::1', '--http2', a).listen
  assert.deepEqual(listener, {
    port: 8080,
    host: '127.0.0.1',
    http2: true,
    proxyProtocol: { from: ['10.0.0.0/8', '2001:db8::1'] },
  })
})

test('page, admin API and metrics are there when they are asked for', () => {
  const around = (argv: string[], environment = {}) => {
    const { admin, dashboard, metrics } = read(argv, environment).configuration
    return { admin, dashboard, metrics }
  }
  assert.deepEqual(around([a]), { admin: false, dashboard: false, metrics: false })
  assert.deepEqual(around([a, '--dashboard']), { admin: {}, dashboard: {}, metrics: false })
  assert.deepEqual(around([a, '--metrics']), { admin: false, dashboard: false, metrics: {} })
  assert.deepEqual(around([]), { admin: {}, dashboard: {}, metrics: false })
  assert.deepEqual(around([a, '--admin-password-file', 'f']), {
    admin: { basicAuth: 'f' },
    dashboard: false,
    metrics: false,
  })
  assert.deepEqual(around([a], { BALANCER_ADMIN_TOKEN: 'abc' }), {
    admin: { token: 'abc' },
    dashboard: false,
    metrics: false,
  })
})

test('a token comes from a file, or from a variable', (t) => {
  const tokenFile = file(t, 'of-the-file\n')
  const { configuration, warnings } = read([a, '--admin-token-file', tokenFile], { BALANCER_ADMIN_TOKEN: 'abc' })
  assert.deepEqual(configuration.admin, { token: 'of-the-file' })
  assert.deepEqual(warnings, [])
})

test('a token that is none is refused', (t) => {
  const cases = [
    ['', /is empty/],
    ['\n', /is empty/],
    ['one\ntwo\n', /has several lines/],
    ['two words', /has spaces/],
    ['schlüssel', /letters other than ASCII/],
  ] as const
  for (const [text, message] of cases)
    assert.throws(
      () => read([a, '--admin-token-file', file(t, text)]),
      (error: CommandError) => {
        assert.match(error.message, message)
        assert.equal(error.exitCode, 2)
        return true
      },
    )
  assert.throws(() => read([a], { BALANCER_ADMIN_TOKEN: '' }), /the variable BALANCER_ADMIN_TOKEN is empty/)
  assert.throws(
    () => read([a, '--admin-token-file', '/nowhere/x']),
    /cannot read the admin token \/nowhere\/x: there is no/,
  )
  assert.throws(() => read([a, '--admin-token-file', tmpdir()]), /it is a folder/)
})

test('a token that every user of the machine may read is told', (t) => {
  const { warnings } = read([a, '--admin-token-file', file(t, 'x', 0o644)])
  assert.match(warnings.join(), /^every user of this machine may read .*: change that with chmod o-r$/)
  assert.deepEqual(read([a, '--admin-token-file', file(t, 'x', 0o640)]).warnings, [])
})

test('help, version and a file, in whatever company', () => {
  assert.deepEqual(readArguments(['-h'], {}), { kind: 'help' })
  assert.deepEqual(readArguments(['3001', '-v'], {}), { kind: 'version' })
  assert.deepEqual(readArguments(['-c', 'f.yaml', '--log', 'json'], {}), {
    kind: 'file',
    file: 'f.yaml',
    log: 'json',
    workers: undefined,
  })
})

test('--help names every option, in lines that fit a terminal', () => {
  const lines = help.split('\n')
  for (const [name, option] of Object.entries(options)) {
    const short = 'short' in option ? `-${option.short},` : '   '
    assert.ok(
      lines.some((line) => line.startsWith(`  ${short} --${name}`)),
      name,
    )
  }
  assert.ok(lines.every((line) => line.length <= 80))
})
