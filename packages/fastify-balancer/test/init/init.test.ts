import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { parse } from 'yaml'
import { readConfiguration } from '../../src/configuration/reading.ts'
import { initCommand } from '../../src/init/init-command.ts'
import { askAnswers } from '../../src/init/questions.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'init-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs it, and answers what it printed. */
async function run(t: TestContext, ...args: readonly string[]): Promise<string> {
  const printed: unknown[] = []
  const write = t.mock.method(process.stdout, 'write', (text: unknown) => printed.push(text) > 0)
  try {
    assert.equal(await initCommand(args), 0)
  } finally {
    write.mock.restore()
  }
  return printed.join('')
}

test('flags become a commented file that can be run, and the command that runs it is printed', async (t) => {
  const file = join(folder(t), 'my site.yaml')
  const printed = await run(
    t,
    ...['--backends', '127.0.0.1:3001=5,https://b:443', '-p', '0', '--host', '::1', '--name', 'a ${b}: c'],
    ...['--policy', 'p2c', '--health-path', '/up', '--dashboard', '--metrics', '--output', file],
  )
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^# yaml-language-server: \$schema=https:\S+\/configuration\.schema\.json\n/)
  const { configuration, faults } = await readConfiguration(file, {})
  assert.deepEqual(faults, [])
  const { listen, balancers, admin, metrics, dashboard } = configuration!
  assert.deepEqual(listen, [{ port: 0, host: '::1' }])
  assert.deepEqual(balancers, [
    {
      name: 'a ${b}: c',
      policy: 'p2c',
      backends: [{ url: 'http://127.0.0.1:3001', weight: 5 }, 'https://b'],
      healthCheck: { path: '/up' },
    },
  ])
  assert.deepEqual([metrics, dashboard], [{}, {}])
  const tokenFile = file.replace('.yaml', '.token')
  const token = readFileSync(tokenFile, 'utf8').trim()
  assert.deepEqual(admin, { token })
  assert.equal(statSync(tokenFile).mode & 0o777, 0o600)
  assert.ok(!text.includes(token))
  assert.ok(printed.includes(`fastify-balancer --config '${file}'`), printed)
})

test('with --yes, every answer is the default; without a page there is no token', async (t) => {
  const file = join(folder(t), 'a.yaml')
  await run(t, '--yes', '-o', file, '--health-path', 'off')
  const { configuration, faults } = await readConfiguration(file, {})
  assert.deepEqual(faults, [])
  assert.deepEqual(configuration!.listen, [{ port: 8080, host: '127.0.0.1' }])
  assert.deepEqual(configuration!.balancers[0]!.backends, ['http://127.0.0.1:3000'])
  assert.deepEqual([configuration!.admin, configuration!.metrics], [false, false])
  assert.equal(existsSync(file.replace('.yaml', '.token')), false)
})

test('a file that is there is not overwritten, unless --force is given; its token stays in any case', async (t) => {
  const file = join(folder(t), 'a.yaml')
  writeFileSync(file, 'mine')
  await assert.rejects(initCommand(['--yes', '-o', file]), {
    message: /a\.yaml is there already; --force/,
    exitCode: 2,
  })
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  writeFileSync(file.replace('.yaml', '.token'), 'in-use-by-somebody\n')
  await run(t, '--yes', '--force', '--dashboard', '-o', file)
  assert.match(readFileSync(file, 'utf8'), /^# yaml-language-server/)
  assert.equal(readFileSync(file.replace('.yaml', '.token'), 'utf8'), 'in-use-by-somebody\n')
})

test('editors get the schema that is installed beside the file', async (t) => {
  const path = folder(t)
  mkdirSync(join(path, 'node_modules/fastify-balancer'), { recursive: true })
  writeFileSync(join(path, 'node_modules/fastify-balancer/configuration.schema.json'), '{}')
  await run(t, '--yes', '-o', join(path, 'a.yaml'))
  assert.match(
    readFileSync(join(path, 'a.yaml'), 'utf8'),
    /^# yaml-language-server: \$schema=\.\/node_modules\/fastify-balancer\/configuration\.schema\.json\n/,
  )
})

test('what cannot be used is refused before anything is written', async (t) => {
  const file = join(folder(t), 'a.yaml')
  const faults: readonly (readonly [readonly string[], RegExp])[] = [
    [['--port', '70000'], /--port must be a whole number from 0 to 65535/],
    [['--backends', 'nonsense'], /'nonsense' has no port/],
    [['a:1', 'http://a:1'], /http:\/\/a:1 is given twice/],
    [['--policy', 'fair', '--backends', 'a:1'], /--policy must be one of round-robin/],
    [['--health-path', 'up'], /--health-path must be a path/],
    [['--host', 'a b'], /--host must be an address/],
    [['--prot', '1'], /unknown option '--prot' \(did you mean --port\?\); see init --help/],
    [[], /init needs --backends/],
  ]
  for (const [args, message] of faults)
    await assert.rejects(initCommand([...args, '-o', file]), { message, exitCode: 2 }, args.join(' '))
  assert.equal(existsSync(file), false)
  await assert.rejects(initCommand(['--yes', '-o', join(file, 'b.yaml')]), { message: /cannot write/, exitCode: 1 })
})

/** A terminal on which these lines are typed, all at once, as when they are pasted. */
async function typed(lines: readonly string[], given = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  let shown = ''
  output.on('data', (chunk: Buffer) => (shown += chunk.toString()))
  input.end(lines.map((line) => `${line}\n`).join(''))
  const answers = await askAnswers(given, { input, output })
  return { answers, shown }
}

test('on a terminal it asks for what is not given, and again if the answer cannot be used', async () => {
  const { answers, shown } = await typed(['bad', 'a:1, b:2', '', '0.0.0.0', '/up', 'maybe', 'y'])
  assert.deepEqual(answers, {
    backends: 'a:1, b:2',
    port: '8080',
    host: '0.0.0.0',
    'health-path': '/up',
    dashboard: 'y',
  })
  assert.match(shown, /^Your servers.*\[http:\/\/127\.0\.0\.1:3000\]: /)
  assert.match(shown, /'bad' has no port.*\n(?:.*\n)*.*the answer is yes or no, not maybe/)
  const known = { backends: 'a:1', port: '1', host: '::1', 'health-path': 'off' }
  assert.deepEqual((await typed(['no'], known)).answers, { ...known, dashboard: 'no' })
  await assert.rejects(typed(['a:1']), { message: 'stopped; nothing was written', exitCode: 1 })
})

test('the file is what a person would write: no line is longer than 120 characters', async (t) => {
  const file = join(folder(t), 'a.yaml')
  await run(t, '--yes', '--dashboard', '--metrics', '-o', file)
  const text = readFileSync(file, 'utf8')
  assert.ok(text.split('\n').every(({ length }) => length <= 120))
  assert.deepEqual(Object.keys(parse(text) as object), ['listen', 'balancers', 'admin', 'dashboard', 'metrics'])
})
