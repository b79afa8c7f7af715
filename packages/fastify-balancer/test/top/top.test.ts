import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { listen, startBackend } from '../../../../test/support/backend.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { until } from '../../../../test/support/until.ts'
import { folderOf } from '../reload/reloading.ts'
import { anyPort, configured, run } from '../server/running.ts'
import { Screen } from './screen.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const token = 'a-token-that-is-long-enough'
const patience = { timeout: 100_000 }

/** A server with three backends, of which the one named `down` cannot be reached. */
async function start(t: TestContext) {
  const one = await startBackend(t)
  const two = await startBackend(t)
  const down = await startBackend(t)
  await down.stop()
  const backends = [
    { id: 'one', url: one.url, maxInFlight: 10 },
    { id: 'two', url: two.url },
    { id: 'down', url: down.url },
  ]
  const healthCheck = { interval: 600_000, initial: 'probe' as const, fall: 1 }
  const balancer = { name: 'web', backends, healthCheck }
  const { server, urls } = await run(t, configured([balancer], { admin: { token }, listen: [anyPort] }))
  return { server, url: urls[0]!, one, two }
}

const withToken = { BALANCER_ADMIN_TOKEN: token }

describe('fastify-balancer top', { concurrency: true }, () => {
  test(
    'shows the worst first, and drains, sets ready and probes what is chosen, once that is confirmed',
    patience,
    async (t) => {
      const { server, url, one } = await start(t)
      const screen = new Screen(t, '110x24', ['--url', url], withToken)
      await screen.shows(/› down +✖ unhealthy/)
      assert.match(
        screen.lines[0]!,
        /^fastify-balancer top {2}http:\/\/127\.0\.0\.1:\d+\/_balancer {2}3 backends, not well: 1$/,
      )
      assert.match(screen.lines[2]!, /^web round-robin · 2 of 3 healthy · /)
      assert.deepEqual(
        screen.lines.slice(4, 7).map((line) => line.slice(2, 6).trim()),
        ['down', 'one', 'two'],
      )
      const stateOf = (id: string) => server.balancers.get('web')!.set.all.find((backend) => backend.id === id)!.state

      screen.keys('\u001B[B')
      await screen.shows(/› one /)
      screen.keys('d')
      await screen.shows(/Drain one of web\? It gets no new requests; in flight: 0\./)
      screen.keys('n')
      await screen.shows(/↑↓ choose/)
      assert.equal(stateOf('one'), 'ready')
      screen.keys('d')
      await screen.shows(/Drain one of web\?/)
      screen.keys('y')
      await screen.shows(/› one +◐ draining/)
      assert.equal(stateOf('one'), 'drain')
      screen.keys('r')
      await screen.shows(/Set one of web ready\?/)
      screen.keys('y')
      await screen.shows(/› one +● healthy/)
      assert.equal(stateOf('one'), 'ready')
      const before = one.received.length
      screen.keys('p')
      await screen.shows(/Probe one of web now\?/)
      screen.keys('y')
      await screen.shows(/probe of one: good, HTTP 200, [\d.]+ ms/)
      assert.equal(one.received.length, before + 1)

      screen.keys('q')
      assert.equal(await screen.exit, 0)
      // The screen and the cursor are those of before.
      assert.ok(screen.raw.endsWith('\u001B[?7h\u001B[?25h\u001B[?1049l'))
    },
  )

  test('says what the server has refused, in its words', patience, async (t) => {
    const { urls } = await run(t, configured([{ backends: ['http://127.0.0.1:9'], healthCheck: false }], { admin: {} }))
    const screen = new Screen(t, '100x20', ['--url', urls[0]!])
    await screen.shows(/› http:/)
    screen.keys('p')
    await screen.shows(/Probe /)
    screen.keys('y')
    await screen.shows(/not done: .*health check/)
  })

  test('follows the traffic, the size of the terminal, and the server as it goes', patience, async (t) => {
    const { server, url } = await start(t)
    const screen = new Screen(t, '100x20', ['--url', url], { ...withToken, NO_COLOR: '1' })
    await screen.shows(/› down/)
    let isOver = false
    const client = (async () => {
      while (!isOver) await ask(`${url}/`)
    })()
    t.after(() => (isOver = true))
    await screen.shows(/one +● healthy +[1-9][\d,.]* +0 % +[\d.]+ ms +\d+\/10 [▰▱]{5}/)
    screen.resize('40x7')
    await until(
      'it has become small',
      () => screen.lines.length === 7 && screen.lines.every((line) => line.length <= 40),
    )
    screen.keys('\u001B[F')
    await screen.shows(/› (?:one|two)/)
    isOver = true
    await client
    // No colours: nothing but where to write.
    // oxlint-disable-next-line no-control-regex -- it is these that are looked for
    assert.doesNotMatch(screen.raw, /\u001B\[[\d;]*m/)
    screen.resize('140x20')
    await server.close()
    await screen.shows(/not current: cannot reach .*: nothing listens there/)
    await screen.shows(/one +● healthy/)
    screen.keys('\u0003')
    assert.equal(await screen.exit, 0)
  })

  test('prints one table where there is no terminal', patience, async (t) => {
    const { url } = await start(t)
    const program = startProgram(t, cli, { args: ['top', '--url', url], env: withToken })
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.match(program.stdout[0]!, /^web round-robin · 2 of 3 healthy · 0 req\/s/)
    assert.match(program.stdout[1]!, /^ {2}backend +state +req\/s +errors +p95 +in flight +conns$/)
    assert.match(program.stdout[2]!, /^ {2}down +✖ unhealthy +0 +– +– +0\/1024 ▱▱▱▱▱ +0 {2}.*(?:refused|ECONNREFUSED)/)
    assert.match(program.stdout[3]!, /^ {2}one +● healthy +0 +– +– +0\/10 ▱▱▱▱▱ +0$/)
    assert.equal(program.stdout.length, 5)
  })

  test('tells in one line how many instances there are, and which one drifts', patience, async (t) => {
    const instance = (port: number, rest: object = {}) => ({
      id: `web-1:${port}\u001B[2J`,
      state: 'ready',
      answered: true,
      process: { cpu: 0.4 },
      balancers: [{ name: 'web', drift: false }],
      ...rest,
    })
    const drift = { balancers: [{ name: 'web', drift: true }] }
    let wanted = 4
    let instances = [
      instance(1),
      instance(2, drift),
      instance(3, { answered: false }),
      instance(4, { state: 'starting', answered: false, ...drift }),
    ]
    const balancer = {
      name: 'web',
      policy: 'p2c',
      available: 0,
      exchanges: 0,
      queue: { waiting: 0, max: 1 },
      backends: [],
    }
    const answers: Readonly<Record<string, () => object>> = {
      '/_balancer/balancers': () => ({ balancers: [balancer] }),
      '/_balancer/instances': () => ({ self: 'web-1:1', keeper: 'web-1:1', wanted, instances }),
    }
    const answering = createServer(({ url }, response) => {
      if (url!.includes('events'))
        return void response.end(
          'event: figures\ndata: {"balancer":"web","seconds":1,"backends":[],"requests":0,"failed":0,"latency":null}\n\n',
        )
      return void response.end(JSON.stringify(answers[url!]?.() ?? balancer))
    })
    const url = await listen(answering)
    t.after(() => {
      answering.close()
      answering.closeAllConnections()
    })
    const screen = new Screen(t, '110x20', ['--url', url])
    const program = startProgram(t, cli, { args: ['top', '--once', '--url', url] })
    await screen.shows(/web p2c/)
    const line = '4 instances: 2 ready, 1 silent, 1 starting · CPU 160 %  another list: web-1:2?[2J (web)'
    assert.equal(screen.lines[1], line)
    assert.equal(screen.lines[2], '')
    await program.exit
    assert.deepEqual(program.stdout.slice(0, 2), [line, ''])
    wanted = 2
    instances = [instance(1), instance(2, { state: 'draining' })]
    await screen.shows(/^2 instances: 1 ready, 1 draining · CPU 80 % {2}1 of 2 ready$/m)
    instances = [instance(1)]
    await screen.shows(/^1 instance: 1 ready · CPU 40 % {2}1 of 2 ready$/m)
    assert.ok(screen.raw.includes('\u001B[31m  1 of 2 ready'))
    // One process is the usual case, and needs no line.
    wanted = 1
    await screen.shows(/^fastify-balancer top [^\n]*\n\nweb p2c/)
    screen.keys('q')
    assert.equal(await screen.exit, 0)
  })

  test('what comes from the server moves no cursor', patience, async (t) => {
    const answering = createServer(({ url }, response) => {
      if (url!.includes('events'))
        return void response.end(
          'event: figures\ndata: {"balancer":"evil\\u001b[2J","seconds":1,"backends":[],"requests":0,"failed":0,"latency":null}\n\n',
        )
      const balancer = {
        name: 'evil\u001B[2J',
        policy: 'p2c',
        available: 0,
        exchanges: 0,
        queue: { waiting: 0, max: 1 },
        backends: [],
      }
      return void response.end(JSON.stringify(url!.endsWith('/balancers') ? { balancers: [balancer] } : balancer))
    })
    const url = await listen(answering)
    t.after(() => answering.close())
    const program = startProgram(t, cli, { args: ['top', '--once', '--url', url] })
    await program.exit
    assert.match(program.stdout[0]!, /^evil\?\[2J p2c/)
  })

  test('says when it is refused, cannot reach the server, or there is no admin API', patience, async (t) => {
    const { url } = await start(t)
    const { urls } = await run(t, configured([{ backends: [] }]))
    const gone = createServer()
    const free = await listen(gone)
    await new Promise((resolve) => gone.close(resolve))
    const file = join(await folderOf(t), 'token')
    writeFileSync(file, 'another-token-that-is-long', { mode: 0o600 })
    const said = async (...args: readonly string[]) => {
      const { exit, stderr } = startProgram(t, cli, { args: ['top', ...args] })
      const { code } = await exit
      return `${code} ${stderr.join('\n')}`
    }
    const told = await Promise.all([
      said('--url', url),
      said('--url', url, '--admin-token-file', file),
      said('--url', free),
      said('--url', urls[0]!),
      said('--url', 'http://a:b@127.0.0.1'),
      said('--admin-token', token),
    ])
    for (const [index, pattern] of [
      /^1 .*_balancer refused: it needs a token; give it by --admin-token-file or in BALANCER_ADMIN_TOKEN \(401/,
      /^1 .* refused: the token is another; .*\(401/,
      /^1 .*cannot reach http:.*: nothing listens there$/,
      /^1 .*(?:no admin API at|503)/,
      /^2 .*--url must not hold a password/,
      /^2 .*unknown option '--admin-token': use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN; see top --help$/,
    ].entries())
      assert.match(told[index]!, pattern)
    // On a terminal, too, the line stays, and no screen was opened.
    const screen = new Screen(t, '80x24', ['--url', free])
    assert.equal(await screen.exit, 1)
    assert.match(screen.raw, /^fastify-balancer: cannot reach /)
    assert.ok(!screen.raw.includes('\u001B'))
  })
})
