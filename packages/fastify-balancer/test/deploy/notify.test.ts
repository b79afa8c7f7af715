import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { until } from '../../../../test/support/until.ts'
import { folderOf } from '../reload/reloading.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const isMissing = spawnSync('systemd-notify', ['--version']).error !== undefined
const patience = { timeout: 100_000, skip: isMissing && 'no systemd-notify' }

/** What came in one datagram, and when (ms). */
interface Message {
  readonly at: number
  readonly variables: Readonly<Record<string, string>>
}

/** Listens as systemd does, in a process of its own. */
async function startSystemd(t: TestContext, socket: string): Promise<readonly Message[]> {
  const child = spawn('python3', [fileURLToPath(new URL('systemd.py', import.meta.url)), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const messages: Message[] = []
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  lines.on('line', (line) => messages.push(JSON.parse(line) as Message))
  return messages
}

const having = (messages: readonly Message[], name: string) => messages.filter(({ variables }) => name in variables)

/** Runs the command as a unit with `Type=notify` runs it, over one backend. */
async function start(
  t: TestContext,
  answer: (response: ServerResponse, method: string) => void,
  watchdog: number,
  workers = 1,
) {
  const { url: backend, received } = await startBackend(t, ({ method }, response) => answer(response, method!))
  const folder = await folderOf(t)
  const file = join(folder, 'balancer.yaml')
  writeFileSync(
    file,
    JSON.stringify({
      workers,
      listen: [{ port: 0 }],
      balancers: [{ backends: [backend], rewrite: { request: { module: './block.js', export: 'request' } } }],
      log: { form: 'json' },
    }),
  )
  writeFileSync(
    join(folder, 'block.js'),
    `export function request({ in: { url } }) {
      if (url.startsWith('/block/')) for (const end = Date.now() + Number(url.slice(7)); Date.now() < end; );
    }`,
  )
  const socket = join(folder, 'notify')
  const messages = await startSystemd(t, socket)
  const env = { NOTIFY_SOCKET: socket, ...(watchdog > 0 && { WATCHDOG_USEC: String(watchdog * 1000) }) }
  const program = startProgram(t, cli, { args: ['--config', file], env })
  const url = async () => (await program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/))[0]
  return { messages, program, received, url }
}

describe('what systemd is told', { concurrency: true }, () => {
  test('ready only when it listens, after the first health checks; then reloads, and the stop', patience, async (t) => {
    const { promise: probed, resolve: probe } = Promise.withResolvers<ServerResponse>()
    const { promise: asked, resolve: arrive } = Promise.withResolvers<ServerResponse>()
    let probes = 0
    const started = start(
      t,
      (response, method) => {
        if (method === 'GET') arrive(response)
        else if (probes++ === 0) probe(response)
        else response.end()
      },
      0,
    )
    const { messages, program, url } = await started
    const probeAnswer = await probed
    await until('it says what it waits for', () => messages.length > 0)
    assert.deepEqual(
      messages.map(({ variables }) => variables),
      [{ STATUS: 'probing 1 backend before listening' }],
    )
    probeAnswer.end()
    await until('it is ready', () => having(messages, 'READY').length === 1)
    assert.equal(having(messages, 'READY')[0]!.variables['STATUS'], '1 of 1 backends healthy, requests in progress: 0')
    const held = ask(await url())
    const answer = await asked

    program.child.kill('SIGHUP')
    await until('it is ready again', () => having(messages, 'READY').length === 2)
    const order = messages.map(({ variables }) => Object.keys(variables)[0]).filter((name) => name !== 'STATUS')
    assert.deepEqual(order, ['READY', 'RELOADING', 'READY'])
    assert.match(having(messages, 'RELOADING')[0]!.variables['MONOTONIC_USEC']!, /^\d+$/)

    program.child.kill('SIGTERM')
    await until('it stops', () => having(messages, 'STOPPING').length === 1)
    assert.equal(messages.at(-1)!.variables['STATUS'], '1 of 1 backends healthy, requests in progress: 1')
    answer.end('in time')
    assert.equal((await held).body, 'in time')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.deepEqual(having(messages, 'WATCHDOG'), [])
  })

  test('that it is alive, in time, but not while its event loop is blocked', patience, async (t) => {
    const { messages, url } = await start(t, (response) => response.end(), 1600)
    const at = await url()
    const pings = () => having(messages, 'WATCHDOG').map((one) => one.at)
    await until('two pings', () => pings().length >= 2)
    const [first, second] = pings()
    assert.ok(second! - first! < 1600, `${second! - first!} ms`)
    const before = pings().length
    assert.equal((await ask(`${at}/block/1700`)).status, 200)
    await until('it is alive again', () => pings().length > before)
    const [last, next] = pings().slice(before - 1)
    assert.ok(next! - last! >= 1700, `${next! - last!} ms`)
  })

  test('the same of workers: by their parent, once for all, and not while one is blocked', patience, async (t) => {
    const { messages, program, url } = await start(t, (response) => response.end(), 2000, 2)
    const at = await url()
    await until('it is ready', () => having(messages, 'READY').length === 1)
    assert.match(having(messages, 'READY')[0]!.variables['STATUS']!, /^2 workers, /)
    const pings = () => having(messages, 'WATCHDOG')
    await until('a ping', () => pings().length > 0)
    assert.equal(pings()[0]!.variables['STATUS'], '2 workers, 1 of 1 backends healthy, requests in progress: 0')
    const blocked = ask(`${at}/block/6000`)
    await program.until(/has not answered for/)
    const told = pings().length
    await program.until(/answers again/)
    assert.equal(pings().length, told)
    assert.equal((await blocked).status, 200)
    await until('it is alive again', () => pings().length > told)

    program.child.kill('SIGUSR2')
    await program.until(/restarted \(SIGUSR2\)/)
    await until('it is ready again', () => having(messages, 'READY').length === 2)
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    const order = messages
      .map(({ variables }) => Object.keys(variables)[0])
      .filter((name) => !/STATUS|WATCHDOG/.test(name!))
    assert.deepEqual(order, ['READY', 'RELOADING', 'READY', 'STOPPING'])
  })

  test('ready not before workers are, whatever is ordered while they start', patience, async (t) => {
    const { messages, program } = await start(t, (response) => response.end(), 0, 2)
    await program.until(/2 workers are starting/)
    program.child.kill('SIGUSR2')
    await program.until(/restarted \(SIGUSR2\)/)
    await program.until(/2 workers ready/)
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    const first = messages.find(({ variables }) => 'READY' in variables || 'RELOADING' in variables)
    assert.match(first!.variables['STATUS'] ?? '', /^2 workers, 1 of 1 backends healthy/)
  })

  test('nothing, where systemd-notify is not there; the log says so', patience, async (t) => {
    const program = startProgram(t, cli, {
      args: ['--port', '0', '--health-path', 'off', '--log', 'json', 'http://127.0.0.1:9'],
      env: { NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere' },
    })
    await program.until(/systemd was not told: /)
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
  })
})
