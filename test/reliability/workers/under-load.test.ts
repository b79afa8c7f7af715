import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../../support/ask.ts'
import { startBackend } from '../../support/backend.ts'
import { startProgram, type Program } from '../../support/program.ts'
import { until } from '../../support/until.ts'
import { askInSession, askOnKeptConnection, type Asking } from './asking.ts'

const cli = fileURLToPath(new URL('../../../packages/fastify-balancer/src/cli.ts', import.meta.url))
const certificates = fileURLToPath(new URL('../../support/certificates/', import.meta.url))

/** On a loaded machine, several processes take their time. */
const patience = { timeout: 200_000 }

/** A backend, with how many of the connections that have carried a request of a client were closed. */
async function startWatched(t: TestContext, id: string) {
  const carried = new Set<IncomingMessage['socket']>()
  const figures = { requests: 0, closed: 0 }
  const { url, server } = await startBackend(t, (request, response) => {
    // That is a probe, and has a connection of its own.
    if (request.method !== 'HEAD') {
      figures.requests++
      if (!carried.has(request.socket)) request.socket.once('close', () => figures.closed++)
      carried.add(request.socket)
    }
    response.end(id)
  })
  server.keepAliveTimeout = 0
  return { id, url, figures }
}

type Watched = Awaited<ReturnType<typeof startWatched>>

/** The command with two workers, whose file can be written again. */
async function start(t: TestContext, backends: readonly Watched[]) {
  const folder = await mkdtemp(join(tmpdir(), 'workers-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'balancer.json')
  const tls = { cert: join(certificates, 'localhost.cert.pem'), key: join(certificates, 'localhost.key.pem') }
  const write = (round: number) => {
    const balancer = {
      backends: backends.slice(0, 2 + (round % 2)).map(({ id, url }) => ({ id, url, weight: 1 + round })),
      pool: { keepAliveTimeout: 600_000 },
      timeouts: { headers: 20_000 + round },
    }
    return writeFile(
      file,
      JSON.stringify({
        workers: 2,
        listen: [{ port: 0 }, { port: 0, tls, http2: true }],
        admin: { insecure: true, listen: { port: 0 } },
        metrics: {},
        balancers: [balancer],
        log: { form: 'json' },
      }),
    )
  }
  await write(0)
  const program = startProgram(t, cli, { args: ['--config', file] })
  const [[plain], [secure], [, admin]] = await Promise.all([
    program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/),
    program.until(/https:\/\/127\.0\.0\.1:\d+(?= by )/),
    program.until(/admin API at (http:\/\/127\.0\.0\.1:\d+)/),
  ])
  return { program, write, plain, secure, admin: admin! }
}

const pidsOf = async (admin: string) => {
  const { body } = await ask(`${admin}/_balancer/instances`)
  return (JSON.parse(body) as { instances: { process: { pid: number } }[] }).instances.map(
    ({ process: { pid } }) => pid,
  )
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Requests that have ended, of all workers, as one of them tells. */
async function requestsIn(admin: string): Promise<number> {
  const { body } = await ask(`${admin}/metrics`)
  const lines = [...body.matchAll(/^fastify_balancer_requests_total\{.*\} (\d+)$/gm)]
  return lines.reduce((sum, [, count]) => sum + Number(count), 0)
}

const times = ({ stdout }: Program, pattern: RegExp) => stdout.filter((line) => pattern.test(line)).length

/** Clients of both protocols. */
function load(t: TestContext, { plain, secure }: { readonly plain: string; readonly secure: string }) {
  const kept = Array.from({ length: 4 }, () => askOnKeptConnection(t, plain))
  const sessions = Array.from({ length: 2 }, () => askInSession(t, secure))
  const all: readonly Asking[] = [...kept, ...sessions]
  return {
    all,
    kept,
    faults: () => all.flatMap(({ faults }) => faults),
    answered: () => all.reduce((sum, { answered }) => sum + answered, 0),
    stop: () => Promise.all(all.map((one) => one.stop())),
    /** Each has been answered once more at least. */
    async goesOn() {
      const before = all.map(({ answered }) => answered)
      await until('each client is answered', () => all.every(({ answered }, index) => answered > before[index]!))
    },
  }
}

test('reloads and rolling restarts fail no request, and all is counted', patience, async (t) => {
  const backends = await Promise.all(['a', 'b', 'guest'].map((id) => startWatched(t, id)))
  const command = await start(t, backends)
  const { program, write, admin } = command
  const clients = load(t, command)
  await clients.goesOn()
  for (let round = 1; round <= 5; round++) {
    await write(round)
    program.child.kill('SIGHUP')
    await program.until(new RegExp(`timeouts\\.headers \\d+ → ${20_000 + round}`))
    await clients.goesOn()
  }
  assert.deepEqual(
    backends.slice(0, 2).map(({ figures }) => figures.closed),
    [0, 0],
  )
  for (let restart = 1; restart <= 2; restart++) {
    const before = await pidsOf(admin)
    assert.equal(before.length, 2)
    program.child.kill('SIGUSR2')
    await until('new workers listen', () => times(program, /restarted \(SIGUSR2\)/) === restart)
    await until('those before have gone', () => !before.some(isThere))
    await clients.goesOn()
  }
  await clients.stop()
  assert.deepEqual(clients.faults(), [])
  const answered = clients.answered()
  assert.equal(
    backends.reduce((sum, { figures }) => sum + figures.requests, 0),
    answered,
  )
  // On connections of their own: each worker is asked, and tells of all.
  for (let time = 0; time < 4; time++) assert.equal(await requestsIn(admin), answered)
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  assert.deepEqual(program.stderr, [])
})

test('a killed worker fails what it had in flight, and is replaced; SIGTERM fails nothing', patience, async (t) => {
  const backends = await Promise.all(['a', 'b'].map((id) => startWatched(t, id)))
  const command = await start(t, backends)
  const { program, admin } = command
  const clients = load(t, command)
  await clients.goesOn()
  const [killed] = await pidsOf(admin)
  process.kill(killed!, 'SIGKILL')
  await program.until(/ended: signal SIGKILL; replaced/)
  await until('another one is there', () => times(program, new RegExp(`"pid":${killed},`)) >= 0)
  await clients.goesOn()
  for (const { faults } of clients.all) assert.ok(faults.length <= 1, faults.join('; '))
  let pids: readonly number[] = []
  while (pids.length < 2 || pids.includes(killed!)) pids = await pidsOf(admin)
  const failed = clients.faults().length
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  await until('nothing listens', () => clients.all.every(({ isRefused }) => isRefused))
  assert.deepEqual(clients.faults().slice(failed), [])
  const received = backends.reduce((sum, { figures }) => sum + figures.requests, 0)
  const lost = received - clients.answered()
  assert.ok(lost >= 0 && lost <= failed, `${lost} of ${received} requests were not answered, ${failed} clients saw it`)
})
