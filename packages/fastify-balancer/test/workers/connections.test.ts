import assert from 'node:assert/strict'
import { join } from 'node:path'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { localhost } from '../../../../test/support/certificates.ts'
import { ask } from '../../../../test/support/ask.ts'
import { until } from '../../../../test/support/until.ts'
import { lines, patience, pidsIn, runFile, startHolding } from './stage.ts'

const files = { 'cert.pem': localhost.cert, 'key.pem': localhost.key }

/** Asks over TLS, with a session of before; answers whether it was resumed, and the session for the next one. */
async function askAgain(url: string, session?: Buffer) {
  const { port } = new URL(url)
  const socket: TLSSocket = connect({
    port: Number(port),
    host: '127.0.0.1',
    ca: localhost.cert,
    servername: 'localhost',
    ...(session !== undefined && { session }),
  })
  let isResumed: boolean | null = null
  socket.on('secureConnect', () => (isResumed = socket.isSessionReused()))
  let ticket: Buffer | undefined
  socket.on('session', (one) => (ticket = one))
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  return { isResumed: isResumed === true, session: ticket }
}

test('TLS sessions are resumed by whichever worker, also by those of the next generation', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const { program, url } = await runFile(
    t,
    {
      listen: [{ port: 0, tls: { cert: './cert.pem', key: './key.pem' } }],
      balancers: [{ backends: [backend] }],
    },
    files,
  )
  const first = await askAgain(url)
  assert.equal(first.isResumed, false)
  const resumed = async (count: number) => {
    const all: boolean[] = []
    for (let asked = 0; asked < count; asked++) all.push((await askAgain(url, first.session)).isResumed)
    return all
  }
  assert.deepEqual(await resumed(4), [true, true, true, true])
  await until('both workers have logged', () => pidsIn(program).size === 2)
  program.child.kill('SIGUSR2')
  await program.until(/restarted \(SIGUSR2\)/)
  assert.deepEqual(await resumed(2), [true, true])
  await until('new workers have logged', () => pidsIn(program).size > 2)
})

test('a connection that was handed to a worker that dies is served by another', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend] }] })
  while (pidsIn(program).size < 2) assert.equal((await ask(url)).status, 200)
  const [first, second] = pidsIn(program)
  // Each is handed one of them, and cannot take it.
  for (const pid of [first!, second!]) process.kill(pid, 'SIGSTOP')
  const waiting = [ask(url), ask(url)]
  const probe = connectTcp(Number(new URL(url).port), '127.0.0.1')
  await once(probe, 'connect')
  probe.destroy()
  process.kill(first!, 'SIGKILL')
  process.kill(second!, 'SIGCONT')
  for (const { status, error } of await Promise.all(waiting)) assert.deepEqual([status, error], [200, undefined])
})

test('a Unix socket is opened once for all, also where one was left behind', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const { program, folder } = await runFile(t, {
    listen: [{ port: 0 }, { path: './balancer.sock' }],
    balancers: [{ backends: [backend] }],
  })
  const path = join(folder, 'balancer.sock')
  const send = () =>
    new Promise<string>((resolve, reject) => {
      let answer = ''
      const socket = connectTcp(path)
      socket.on('data', (chunk) => (answer += String(chunk)))
      socket.on('error', reject)
      socket.on('close', () => resolve(answer))
      socket.write('GET / HTTP/1.0\r\nhost: a\r\n\r\n')
    })
  for (let asked = 0; asked < 4; asked++) assert.match(await send(), /^HTTP\/1\.1 200 .*\r\n\r\na$/s)
  await until('both workers have logged', () => pidsIn(program).size === 2)
  program.child.kill('SIGUSR2')
  await program.until(/restarted \(SIGUSR2\)/)
  assert.match(await send(), / 200 /)
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})

test(
  'a kept connection is told to close by the worker that leaves; an order to restart comes over the admin API',
  patience,
  async (t) => {
    const { url: backend, held, answer } = await startHolding(t)
    const { program, url, operate } = await runFile(t, { balancers: [{ backends: [backend] }], admin: true })
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    let received = ''
    socket.on('data', (chunk) => (received += String(chunk)))
    socket.write('GET /hold HTTP/1.1\r\nhost: a\r\n\r\n')
    await held
    const report = JSON.parse((await operate('/server/restart')).body) as { applied: boolean; summary: string }
    assert.deepEqual(
      [report.applied, report.summary],
      [true, 'restarted (api): 2 new workers listen, the old ones finish their requests'],
    )
    await answer()
    await until('it is answered', () => received.includes('in time'))
    assert.match(received, /^HTTP\/1\.1 200 .*\r\nconnection: close\r\n/is)
    await until('one line for each worker that began', () =>
      lines(program).some(({ msg }) => msg.startsWith('restarted')),
    )
  },
)
