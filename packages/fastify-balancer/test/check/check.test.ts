import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { check } from '../../src/check/check.ts'
import { checkCommand } from '../../src/check/check-command.ts'
import { readConfiguration } from '../../src/configuration/reading.ts'
import { folderWith } from '../configuration/file-on-disk.ts'

const longToken = 'open-sesame-swordfish'

async function run(t: TestContext, text: string, style: { excerpts?: boolean; colors?: boolean } = {}) {
  const folder = await folderWith(t, {
    'site.yaml': text,
    token: `${longToken}\n`,
    'code.js': 'export const request = () => {}',
  })
  const printed = { out: '', err: '' }
  const file = join(folder, 'site.yaml')
  const code = await check(file, {
    env: { TOKEN: longToken, PORT: '8081' },
    out: (one) => void (printed.out += one),
    err: (one) => void (printed.err += one),
    excerpts: false,
    colors: false,
    ...style,
  })
  return { code, file, out: printed.out, err: printed.err.replaceAll(`${folder}/`, '') }
}

const good = `
listen:
  - port: "\${PORT}"
balancers:
  - backends:
      - http://127.0.0.1:3001
      - { url: http://127.0.0.1:3002, weight: 2 }
    retry: { statuses: [503] }
    rewrite: { request: { module: code.js, export: request } }
    healthCheck: { headers: { authorization: secret-of-the-file } }
admin: { token: { file: token } }
metrics: true
`

describe('a file that can be used', () => {
  test('is shown as it is in force, with where each value comes from', async (t) => {
    const { code, out, err } = await run(t, good)
    assert.deepEqual([code, err], [0, 'site.yaml: valid\n'])
    const shown = out.split('\n').map((line) => line.replace(/ +# /, ' # '))
    for (const line of [
      '  - port: 8081 # line 3, ${PORT}',
      '    host: 127.0.0.1 # default',
      '      - http://127.0.0.1:3001 # line 6',
      '      - url: http://127.0.0.1:3002 # line 7',
      '        weight: 2 # line 7',
      '      statuses:',
      '        - 503 # line 8',
      '      attempts: 1 # default',
      '      request: code.js (request) # line 9, code.js (request)',
      '        authorization: (secret) # line 10',
      '  token: (secret) # line 11, token',
      '  path: /metrics # default',
      'dashboard: false # default',
    ])
      assert.ok(shown.includes(line), `${line}\n${out}`)
  })

  test('is shown as YAML that means the same', async (t) => {
    const text = 'balancers: [{ name: "a: b # c", backends: [{ url: "http://127.0.0.1:1", id: "yes" }] }]\n'
    const { out } = await run(t, text)
    const [balancer] = (parse(out) as { balancers: Record<string, unknown>[] }).balancers
    assert.deepEqual([balancer!['name'], balancer!['minClientRate']], ['a: b # c', 240])
    assert.match(JSON.stringify(balancer!['backends']), /"id":"yes"/)
    const folder = await folderWith(t, { 'again.yaml': out })
    assert.deepEqual((await readConfiguration(join(folder, 'again.yaml'), {})).faults, [])
  })

  test('tells no secret, wherever it stands', async (t) => {
    const { out, err } = await run(t, good.replace('{ file: token }', '"${TOKEN}"'))
    assert.doesNotMatch(out + err, /secret-of-the-file|sesame/)
    assert.match(out, /token: \(secret\) +# line 11, \$\{TOKEN\}/)
  })

  test('may have a mirror, whose name is looked up, too', async (t) => {
    const text = `balancers:
  - backends: [http://127.0.0.1]
    mirror: { to: [http://127.0.0.1:81, nowhere.invalid:80], share: 0.1 }
`
    const { code, out, err } = await run(t, text)
    assert.equal(code, 0)
    assert.match(
      err,
      /^site\.yaml:3:41: warning: balancers\.0\.mirror\.to\.1: the name nowhere\.invalid does not resolve/,
    )
    assert.match(out, /share: 0\.1 +# line 3\n/)
    assert.match(out, /maxInFlight: 64 +# default\n/)
    const bad = await run(t, text.replace('nowhere.invalid:80', 'http://a/b'))
    assert.equal(bad.code, 1)
    assert.match(
      bad.err,
      /^site\.yaml:3:41: balancers\.0\.mirror\.to\.1: 'http:\/\/a\/b' must be an origin, without a path/,
    )
    const misspelt = await run(t, text.replace('share', 'shar'))
    assert.match(misspelt.err, /balancers\.0\.mirror\.shar: unknown option: did you mean `share`\?/)
  })

  test('may name a backend that does not resolve here: that is a warning', async (t) => {
    const { code, err } = await run(t, 'balancers:\n  - backends: [http://nowhere.invalid:80, http://127.0.0.1]\n')
    assert.equal(code, 0)
    assert.match(
      err,
      /^site\.yaml:2:16: warning: balancers\.0\.backends\.0: the name nowhere\.invalid does not resolve here/,
    )
    assert.match(err, /site\.yaml: valid, 1 warning\n$/)
  })
})

describe('a file that cannot be used', () => {
  const bad = 'balancers:\n  - backends: []\n\tpolicy: p2\n'
  const faulty = `balancers:\n  - backends: [http://127.0.0.1:1]\n    policy: p2\n${' '.repeat(4)}name: ${'x'.repeat(150)}\n    polcy: 1\n`

  test('is not shown; each fault is told in a line', async (t) => {
    const { code, out, err } = await run(t, faulty)
    assert.deepEqual([code, out, err.split('\n').length], [1, '', 4])
    assert.match(
      err,
      /^site\.yaml:3:13: balancers\.0\.policy: expected .*p2c\b.*\nsite\.yaml:5:5: balancers\.0\.polcy: .*\nsite\.yaml: 2 faults\n$/,
    )
  })

  test('is shown line by line on a terminal, with a caret below the fault', async (t) => {
    const { err } = await run(t, faulty, { excerpts: true })
    assert.match(err, /\n {6}policy: p2\n {14}\^\^\nsite/)
    assert.match(err, /\n {6}polcy: 1\n {6}\^{5}\nsite/)
    const { err: colored } = await run(t, faulty, { excerpts: true, colors: true })
    assert.ok(colored.includes('\u001B[31m^^\u001B[39m'))
  })

  test('keeps the caret in its column after a tab, and in a line that is too long', async (t) => {
    assert.match((await run(t, bad, { excerpts: true })).err, /\n {2}\tpolicy: p2\n {2}\^/)
    const long = `balancers: [{ name: ${'x'.repeat(150)}, polcy: p2c, prefix: ${'y'.repeat(150)} }]`
    const [, excerpt, caret] = (await run(t, long, { excerpts: true })).err.split('\n')
    assert.ok(excerpt!.length < 110)
    assert.equal(excerpt!.slice(caret!.indexOf('^'), caret!.length), 'polcy')
  })
})

test('the command tells whether a file can be used by its exit code', async (t) => {
  const folder = await folderWith(t, { 'site.yaml': 'balancers: [{ polcy: p2c }]\n' })
  const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'check', join(folder, 'site.yaml')], {
    encoding: 'utf8',
  })
  assert.deepEqual([status, stdout], [1, ''])
  assert.match(stderr, /site\.yaml:1:15: balancers\.0\.polcy: unknown option.*policy/)
})

test('the arguments of the command are checked', async () => {
  for (const [args, fault] of [
    [[], /name the file to check/],
    [['a', 'b'], /one file at a time/],
    [['--json', 'a'], /unknown option '--json'; see check --help/],
  ] as const)
    await assert.rejects(checkCommand(args), { message: fault, exitCode: 2 })
})

test('what only shows at a start is a fault, too', async (t) => {
  for (const [text, message] of [
    ['admin: true\nmetrics: { path: /_balancer }\n', /already declared for route '\/_balancer'/],
    ['admin: { persist: . }\n', /saved lists .* are invalid.*a folder/],
    ['admin: { prefix: /web }\n', /prefix '\/web' would take requests of the admin routes/],
  ] as const) {
    const { code, out, err } = await run(t, `balancers:\n  - { prefix: /web, backends: [http://127.0.0.1:1] }\n${text}`)
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, message)
    assert.match(err, /^site\.yaml:1:1: it cannot start: .*\nsite\.yaml: 1 fault\n$/s)
  }
})
