import balancer, { type BalancerOptions } from '@fastify-balancer/balancer-core'
import healthCheck from '@fastify-balancer/health-check'
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { failOnCrash } from '../conformance/no-crash.ts'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { Authority, type Issued } from '../support/authority.ts'
import { listen } from '../support/backend.ts'
import { ManualClock } from '../support/clock.ts'
import { LogLines } from '../support/log-lines.ts'
import { until } from '../support/until.ts'

failOnCrash()

const authority = new Authority()
const ca = authority.cert
const server = authority.issue()
const one = authority.issue({ subject: '/CN=one', names: [] })
const two = authority.issue({ subject: '/CN=two', names: [] })
const otherAuthority = new Authority('/CN=Another CA')

/** How often files are looked at (ms). */
const period = 1000

/** A volume of Kubernetes: every file is a link into `..data`, which is a link to the current folder. */
class Volume {
  readonly folder = mkdtempSync(join(tmpdir(), 'volume-'))
  #version = 0

  constructor(t: TestContext, files: Readonly<Record<string, string>>) {
    t.after(() => rmSync(this.folder, { recursive: true }))
    this.swap(files)
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(this.folder, name))
  }

  /** Puts other files in place of all, at one moment. */
  swap(files: Readonly<Record<string, string>>): void {
    const name = `..version-${++this.#version}`
    mkdirSync(join(this.folder, name))
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.folder, name, file), text)
    symlinkSync(name, join(this.folder, '..data-new'))
    renameSync(join(this.folder, '..data-new'), join(this.folder, '..data'))
  }

  /** Writes one of the files where it is. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  path(name: string): string {
    return join(this.folder, name)
  }
}

const filesOf = ({ cert, key }: Issued, from = ca) => ({ 'ca.crt': from, 'tls.crt': cert, 'tls.key': key })

/** A backend that asks for a certificate, and notes whose it gets: at connections, and with probes. */
async function startBackend(t: TestContext, protocol: 'http1' | 'http2') {
  const held: ServerResponse[] = []
  const probes: (string | undefined)[] = []
  const connections: string[] = []
  const sockets = new Set<Socket>()
  const options = { ...server, ca, requestCert: true }
  const listener = (
    request: { method?: string | undefined; url?: string | undefined; socket: unknown },
    response: ServerResponse,
  ) => {
    const name = (request.socket as TLSSocket).getPeerX509Certificate()?.subject
    if (request.method === 'HEAD') probes.push(name)
    if (request.url === '/held') held.push(response)
    else response.end(name)
  }
  const started =
    protocol === 'http1'
      ? createServer(options, listener)
      : createSecureServer(options, listener as unknown as Parameters<typeof createSecureServer>[1])
  ;(started as NetServer).on('secureConnection', (socket: TLSSocket) => {
    connections.push(socket.getPeerX509Certificate()!.subject)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const origin = await listen(started as NetServer)
  t.after(() => {
    started.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `https://localhost:${new URL(origin).port}`, held, probes, connections, sockets }
}

async function start(t: TestContext, files: Readonly<Record<string, string>>, protocol: 'http1' | 'http2' = 'http1') {
  const volume = new Volume(t, files)
  const backend = await startBackend(t, protocol)
  const clock = new ManualClock()
  const log = new LogLines()
  const app = Fastify({ logger: log })
  const options: BalancerOptions = {
    backends: [{ url: backend.url, id: 'a' }],
    clock,
    pool: {
      protocol,
      tls: { caFile: volume.path('ca.crt'), certFile: volume.path('tls.crt'), keyFile: volume.path('tls.key') },
    },
  }
  await app.register(balancer, options)
  await app.register(healthCheck, { path: '/probe' })
  const { url } = await listenApp(t, app)
  const own = app.balancer
  return {
    volume,
    backend,
    clock,
    url,
    own,
    get: async (path = '/') => (await ask(url + path)).body,
    /** What is said of the files. */
    told: () => log.all.filter(({ msg }) => /TLS files/.test(msg ?? '')).map(({ level, msg }) => [level, msg]),
  }
}

for (const protocol of ['http1', 'http2'] as const)
  test(`a new certificate is used from the next connection on, and no request is lost, over ${protocol}`, async (t) => {
    const { volume, backend, clock, url, own, get, told } = await start(t, filesOf(one), protocol)
    const known = own.backend('a')
    own.veto(known, { by: 'test', reason: 'is kept' })
    const asked = get('/held')
    await until('a request is held', () => backend.held.length === 1)
    let isOver = false
    const answers: number[] = []
    const busy = Array.from({ length: 4 }, async () => {
      while (!isOver) answers.push((await ask(url)).status)
    })
    await until('requests are answered', () => answers.length > 10)
    const before = known.requests

    volume.swap(filesOf(two))
    clock.advance(2 * period)
    await until('the new one was presented', () => backend.connections.at(-1) === 'CN=two')
    assert.equal(await get(), 'CN=two')
    isOver = true
    await Promise.all(busy)
    // It was begun before, and ends where it began.
    backend.held[0]!.end('in the end')
    assert.equal(await asked, 'in the end')

    assert.deepEqual([...new Set(answers)], [200])
    assert.equal(own.backend('a'), known)
    assert.ok(known.requests > before)
    assert.deepEqual(Object.keys(known.outcomes), ['ok'])
    assert.deepEqual(
      known.vetoes.map(({ by }) => by),
      ['test'],
    )
    assert.equal(own.set.revision, 1)
    await until('the old connections are closed', () =>
      [...backend.sockets].every((socket) => (socket as TLSSocket).getPeerX509Certificate()?.subject === 'CN=two'),
    )
    const { files } = known.tls
    assert.deepEqual(told(), [
      [30, 'balancer default: the TLS files have changed; new connections to its backends use them'],
    ])
    assert.equal(files.length, 3)
  })

test('files that cannot be used are refused, with one line, and those before stay in use', async (t) => {
  const { volume, backend, clock, own, get, told } = await start(t, filesOf(one))
  assert.equal(await get(), 'CN=one')
  const { pool } = own.backend('a')
  const stay =
    'balancer default: the TLS files have changed and cannot be used, so what was in them before stays in use: '
  const { 'tls.key': _, ...withoutKey } = filesOf(two)
  const faults: string[] = []
  for (const [files, fault] of [
    [
      { ...filesOf(two), 'tls.key': one.key },
      `keyFile: '${volume.path('tls.key')}' does not belong to the certificate`,
    ],
    [withoutKey, `keyFile: '${volume.path('tls.key')}' does not exist`],
    [
      filesOf(two, 'nonsense'),
      `caFile: '${volume.path('ca.crt')}' must hold certificates in PEM form (-----BEGIN CERTIFICATE-----), each of them whole`,
    ],
  ] as const) {
    volume.swap(files)
    clock.advance(10 * period)
    faults.push(`${stay}pool.tls.${fault}`)
    assert.deepEqual(
      told(),
      faults.map((text) => [40, text]),
    )
    for (const socket of backend.sockets) socket.destroy()
    await until('it is closed', () => pool.stats.connected === 0)
    assert.equal(await get(), 'CN=one')
    assert.equal(own.backend('a').pool, pool)
  }
  volume.swap(filesOf(two))
  clock.advance(2 * period)
  assert.equal(await get(), 'CN=two')
})

test('files that are written one after the other are read when all are written', async (t) => {
  const { volume, clock, get, told } = await start(t, filesOf(one))
  volume.write('tls.crt', two.cert.slice(0, 100))
  clock.advance(period)
  volume.write('tls.crt', two.cert)
  clock.advance(period)
  volume.write('tls.key', two.key)
  clock.advance(period)
  assert.equal(await get(), 'CN=one')
  clock.advance(period)
  assert.equal(await get(), 'CN=two')
  // The same once more is no change.
  volume.swap(filesOf(two))
  clock.advance(2 * period)
  assert.equal(told().length, 1)
})

test('probes present the new certificate, and trust the new CA, too', async (t) => {
  const { volume, backend, clock, own } = await start(t, filesOf(one))
  const checks = own.extensions.get('health-check') as {
    probe(id: string): Promise<{ good: boolean; certificate?: { issuer: string } }>
  }
  await checks.probe('a')
  assert.equal(backend.probes.at(-1), 'CN=one')
  volume.swap(filesOf(two))
  clock.advance(2 * period)
  await checks.probe('a')
  assert.equal(backend.probes.at(-1), 'CN=two')
  volume.swap(filesOf(two, otherAuthority.cert))
  clock.advance(2 * period)
  const { good, certificate } = await checks.probe('a')
  assert.deepEqual([good, certificate?.issuer], [false, 'CN=Test CA'])
})
