import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startBackends, unusedOrigin } from '../../../../test/support/backend.ts'
import { startProgram, type Program } from '../../../../test/support/program.ts'
import { help } from '../../src/command/help.ts'
import { rawClient } from '../../../../test/support/raw.ts'

const file = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const patience = { timeout: 200_000 }
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { version: ours } = JSON.parse(manifest) as { version: string }

function start(t: TestContext, ...args: string[]): Program {
  return startProgram(t, file, { args })
}

/** Starts it on a free port, so that it asks backends nothing unless told to; answers its origin. */
async function startAt(t: TestContext, ...args: string[]): Promise<[Program, string]> {
  const leading = args[0] === '--' ? ['--'] : []
  const check = args.includes('--health-path') ? [] : ['--health-path', 'off']
  const program = start(t, ...leading, '--port', '0', ...check, ...args.slice(leading.length))
  const [url] = await program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)
  return [program, url]
}

async function stop({ child, exit }: Program, signal: NodeJS.Signals = 'SIGTERM') {
  child.kill(signal)
  return exit
}

test('-v prints the version; an older Node is told so in one line, before anything is loaded', () => {
  for (const [version, isOlder] of [
    ['20.20.2', true],
    ['22.18.9', true],
    ['22.19.0', false],
  ] as const) {
    const told = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(told)}`, file, '-v']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.equal(status, isOlder ? 1 : 0, stderr)
    assert.equal(stderr, isOlder ? `fastify-balancer: needs Node 22.19 or later, and this is ${version}\n` : '')
    assert.equal(stdout, isOlder ? '' : `${ours}\n`)
  }
})

describe('the demo', patience, () => {
  test('three backends take turns, and three lines say what to try: its curl commands work as printed', async (t) => {
    const program = start(t, '--port', '0', '--log', 'off')
    await program.until(/^Look/)
    const { hostname, port } = new URL(`http://${/curl "([^/]+)/.exec(program.stdout[0]!)![1]}`)
    const names = []
    for (let turn = 0; turn < 3; turn++) names.push((await ask(`http://${hostname}:${port}/`)).headers['x-backend'])
    assert.deepEqual(names, ['fast', 'steady', 'slow'])

    const commands = program.stdout.flatMap((line) => /^\w+ +(curl .*?) {2}/.exec(line)?.[1] ?? [])
    assert.equal(commands.length, 2)
    if (spawnSync('curl', ['--version']).error === undefined) {
      const [six, goes] = commands.map((command) => spawnSync(`${command} -sS`, { shell: true, encoding: 'utf8' }))
      assert.equal(six!.stdout.replaceAll(/,.*/g, ''), 'fast\nsteady\nslow\nfast\nsteady\nslow\n')
      assert.match(goes!.stdout, /^x-backend: fast\r$/m)
      assert.match(goes!.stdout, /^fast stops for 10 s$/m)
    } else t.diagnostic('there is no curl here')

    assert.deepEqual(await stop(program), { code: 0, signal: null })
    assert.equal(program.stdout.length, 3)
    assert.deepEqual(program.stderr, [])
  })

  test('one that is stopped costs no request', async (t) => {
    const [program, url] = await startAt(t, '--log', 'json')
    const stopped = await ask(`${url}/stop`, { method: 'POST' })
    const gone = stopped.headers['x-backend']
    const others = new Set<unknown>(['fast', 'steady', 'slow'].filter((name) => name !== gone))
    const answers = []
    for (let turn = 0; turn < 6; turn++)
      answers.push(await ask(url, turn < 3 ? {} : { method: 'POST', body: 'not lost' }))

    assert.equal(gone, 'fast')
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200, 200],
    )
    assert.ok(answers.every(({ headers }) => others.has(headers['x-backend'])))
    await program.until(/"backend":"fast","outcome":"connect-refused".*"outcome":"ok"/)
    assert.deepEqual(await stop(program), { code: 0, signal: null })
  })
})

describe('given addresses', patience, () => {
  test('it balances them, with or without a scheme and after a stray --', async (t) => {
    const [first, second] = await startBackends(t, 'first', 'second')
    const [program, url] = await startAt(t, '--', first!.url, new URL(second!.url).host)
    const long = `/a/long/${'path/'.repeat(100)}`
    const target = `${long}?and=query`
    const bodies = []
    for (let turn = 0; turn < 4; turn++) bodies.push((await ask(url + target)).body)

    assert.deepEqual(bodies, ['first', 'second', 'first', 'second'])
    assert.equal(first!.received[0]!.url, target)

    await stop(program)
    const lines = program.stdout.map((line) => JSON.parse(line) as Record<string, unknown>)
    const { method, url: path, status, outcome, attempts } = lines.find((line) => 'attempts' in line)!
    assert.deepEqual([method, path, status, outcome], ['GET', long, 200, 'ok'])
    assert.equal((attempts as { backend: string }[])[0]!.backend, first!.url)
    // As JSON, because nobody looks: how many requests at once, balancing, each request, SIGTERM.
    assert.equal(lines.length, 7)
  })

  test('the pretty log has each attempt, and what the client got; backends are not probed if told so', async (t) => {
    const [one] = await startBackends(t, 'one')
    const dead = await unusedOrigin()
    const [program, url] = await startAt(t, '--health-path', 'off', '--log', 'pretty', dead, one!.url)
    await ask(`${url}/here`)
    await program.until(/ INFO: GET \/here → http:\S+ connect-refused [\d.]+ ms → http:\S+ 200 [\d.]+ ms$/)
    assert.deepEqual(
      one!.received.map(({ method }) => method),
      ['GET'],
    )
    await one!.stop()
    const { status, body } = await ask(`${url}/nowhere`)
    await program.until(/ WARN: GET \/nowhere( → http:\S+ connect-refused [\d.]+ ms){2} ⇒ 502 connect-refused$/)
    assert.equal(status, 502)
    for (const address of [dead, one!.url]) assert.ok(!body.includes(new URL(address).port))

    // The reader of its output has left.
    program.child.stdout.destroy()
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url)).status, 502)
    assert.deepEqual(await stop(program), { code: 0, signal: null })
    assert.deepEqual(program.stderr, [])
  })

  test('neither a reader of its output that has left, nor a connection that has asked nothing, holds it', async (t) => {
    const [one] = await startBackends(t, 'one')
    const [program, url] = await startAt(t, '--log', 'json', one!.url)
    const silent = await rawClient(t, Number(new URL(url).port))
    program.child.stdout.destroy()
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url)).status, 200)
    assert.deepEqual(await stop(program), { code: 0, signal: null })
    assert.equal(await silent.closed(), '')
    assert.deepEqual(program.stderr, [])
  })
})

test(
  'on a terminal: plain text, what a start waits for, and where metrics are; no colors with NO_COLOR',
  patience,
  async (t) => {
    if (spawnSync('script', ['--version']).error !== undefined) return t.skip('there is no script(1) here')
    const within = ['sh', '-c', 'exec script -qec "$0 $*" /dev/null']
    const [one] = await startBackends(t, 'one')
    const args = ['-p', '0', '--metrics', one!.url]
    const program = startProgram(t, file, { within, args, env: { NO_COLOR: '1' } })
    await program.until(/INFO: probing 1 backend before listening/)
    await program.until(/INFO: balancing http:\S+ at http:\S+ by round-robin/)
    await program.until(/INFO: metrics are at http:\S+\/metrics, for this machine only/)
    assert.ok(!program.stdout.join('\n').includes('\u001B['))
    return undefined
  },
)

test('a page that a token opens; what should be mended is told in the log', patience, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'token-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'secret\n', { mode: 0o644 })
  const [one] = await startBackends(t, 'one')
  const [program, url] = await startAt(t, '--dashboard', '--admin-token-file', tokenFile, one!.url)
  await program.until(/"level":40.*every user of this machine may read .*token: change that with chmod o-r/)
  await program.until(/"level":40.*the admin token is short/)
  await program.until(/the page is at http:\S+\/_balancer\/"/)
  const page = `${url}/_balancer/dashboard/`
  assert.equal((await ask(page)).status, 401)
  assert.equal((await ask(page, { headers: { authorization: 'Bearer secret' } })).status, 200)
  assert.doesNotMatch(program.stdout.join('\n'), /secret/)
})

describe('checking backends', patience, () => {
  test('they are asked with HEAD on / before the first request, and who does not answer gets none', async (t) => {
    const [one] = await startBackends(t, 'one')
    const dead = await unusedOrigin()
    const program = start(t, '--port', '0', '--log', 'json', dead, one!.url)
    const [url] = await program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)
    // One by then; the next ones begin somewhere in the interval.
    const probes = one!.received.map(({ method, url: path }) => `${method} ${path}`)
    assert.deepEqual(new Set(probes), new Set(['HEAD /']))
    for (let turn = 0; turn < 4; turn++) assert.equal((await ask(url)).body, 'one')
    await stop(program)
    const lines = program.stdout.map((line) => JSON.parse(line) as { msg: string; attempts?: { backend: string }[] })
    const asked = lines.flatMap(({ attempts }) => attempts ?? []).map(({ backend }) => backend)
    assert.deepEqual(asked, [one!.url, one!.url, one!.url, one!.url])
    assert.ok(lines.some(({ msg }) => msg.startsWith(`backend ${dead} unhealthy: `)))
  })

  test('on the path that is given', async (t) => {
    const sick = await startBackend(t, (request, response) => {
      response.writeHead(request.url === '/health?deep' ? 503 : 200).end('sick')
    })
    const [well] = await startBackends(t, 'well')
    const [, url] = await startAt(t, '--health-path', '/health?deep', sick.url, well!.url)
    for (let turn = 0; turn < 4; turn++) assert.equal((await ask(url)).body, 'well')
    assert.deepEqual(new Set(sick.received.map((request) => request.url)), new Set(['/health?deep']))
  })
})

describe('stopping', patience, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} lets requests end on the connections that are open, and closes them`, async (t) => {
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerResponse>()
      const backend = await startBackend(t, ({ url: path }, response) => {
        if (path === '/hold') arrive(response)
        else response.end('in time')
      })
      const [program, url] = await startAt(t, backend.url)
      const port = Number(new URL(url).port)
      // A browser opens connections before it needs them; they must not hold the process.
      await rawClient(t, port)
      const early = await rawClient(t, port)
      const kept = new Agent({ keepAlive: true })
      t.after(() => kept.destroy())
      assert.equal((await ask(url, { agent: kept })).body, 'in time')
      const answer = ask(`${url}/hold`)
      const response = await arrived
      program.child.kill(signal)
      await program.until(new RegExp(`${signal}: .*: 1"`))
      // On their way when it was told to stop: nothing has told their clients.
      early.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
      const again = await ask(url, { agent: kept })
      assert.deepEqual([again.status, again.body, again.headers.connection], [200, 'in time', 'close'])
      await early.until(/^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is)
      assert.equal((await ask(url)).status, 0)
      response.end('late, but whole')

      const { status, body, whole } = await answer
      assert.deepEqual([status, body, whole], [200, 'late, but whole', true])
      assert.deepEqual(await program.exit, { code: 0, signal: null })
      assert.equal(backend.received.length, 4)
    })
  }

  test('it goes by the policy; after the drain deadline, what is left is cut', async (t) => {
    const busy = await startBackend(t, () => {})
    const [free] = await startBackends(t, 'free')
    const args = ['--policy', 'least-requests', '--drain-deadline', '50']
    const [program, url] = await startAt(t, ...args, busy.url, free!.url)
    const answer = ask(url)
    await once(busy.server, 'request')
    for (let turn = 0; turn < 3; turn++) assert.equal((await ask(url)).body, 'free')
    assert.deepEqual(await stop(program), { code: 0, signal: null })
    assert.notEqual((await answer).status, 200)
  })

  test('a second signal stops it at once', async (t) => {
    const backend = await startBackend(t, () => {})
    const [program, url] = await startAt(t, '--drain-deadline', '0', backend.url)
    const answer = ask(url)
    await once(backend.server, 'request')
    program.child.kill('SIGINT')
    await program.until(/SIGINT: /)
    assert.deepEqual(await stop(program, 'SIGINT'), { code: 1, signal: null })
    assert.equal((await answer).status, 0)
  })
})

test('-h prints the help', patience, async (t) => {
  const { exit, stdout, stderr } = start(t, '-h')
  assert.deepEqual(await exit, { code: 0, signal: null })
  assert.equal(`${stdout.join('\n')}\n`, help)
  assert.deepEqual(stderr, [])
})

test('wrong arguments get one line and exit code 2', patience, async (t) => {
  const { exit, stdout, stderr } = start(t, '--prot', 'two\nlines')
  assert.deepEqual(await exit, { code: 2, signal: null })
  assert.deepEqual(stdout, [])
  assert.deepEqual(stderr, ["fastify-balancer: unknown option '--prot' (did you mean --port?); see --help"])
})

test('where the port is in use, it says so in one line and exits with 1', patience, async (t) => {
  const [one] = await startBackends(t, 'one')
  const { port } = new URL(one!.url)
  for (const backends of [[one!.url], []]) {
    const { exit, stdout, stderr } = start(t, '--port', port, ...backends)
    assert.deepEqual(await exit, { code: 1, signal: null })
    assert.deepEqual(stdout, [])
    assert.deepEqual(stderr, [`fastify-balancer: port ${port} of 127.0.0.1 is in use; choose another port`])
  }
})

test('where the address is not one of this machine, it says so in one line and exits with 1', patience, async (t) => {
  // Reserved for documentation (RFC 5737).
  const { exit, stderr } = start(t, '--host', '192.0.2.1', '--port', '0', 'http://127.0.0.1:3001')
  assert.deepEqual(await exit, { code: 1, signal: null })
  assert.deepEqual(stderr, [
    'fastify-balancer: port 0 of 192.0.2.1 cannot be opened: 192.0.2.1 is not an address of this machine',
  ])
})
