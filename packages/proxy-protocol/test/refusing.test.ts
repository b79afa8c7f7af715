import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import Fastify from 'fastify'
import { failOnCrash } from '../../../test/conformance/no-crash.ts'
import { FaultLog } from '../src/connection/fault-log.ts'
import { proxyProtocol } from '../src/index.ts'
import { binary, extension, ipv4, text } from './header-bytes.ts'
import { opened, seenBy, startStage, ways, type Stage } from './stage.ts'

failOnCrash()

const request = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'

/** What is answered until the other side closes. */
async function receivedBy(t: TestContext, { port }: Stage, bytes: string | Buffer): Promise<string> {
  const socket = await opened(t, port, bytes)
  let received = ''
  socket.on('data', (chunk) => (received += String(chunk)))
  await once(socket, 'close')
  return received
}

const refused: Readonly<Record<string, string | Buffer>> = {
  'no header': request,
  'a request over TLS without header': Buffer.from('1603010005010000010303', 'hex'),
  'HTTP/2 without header': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'half a signature, then another byte': Buffer.from('0d0a0d0a00ff', 'hex'),
  'version 1 with a fault': `PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n${request}`,
  'version 1 that is too long': `PROXY UNKNOWN ${'x'.repeat(200)}\r\n${request}`,
  'version 2 with a wrong checksum': Buffer.concat([
    binary(0x21, 0x11, Buffer.concat([ipv4, extension(0x03, 'none')])),
    Buffer.from(request),
  ]),
  'version 2 that is too long': binary(0x21, 0x11, Buffer.alloc(5000)),
}

for (const [name, bytes] of Object.entries(refused))
  test(`${name}: a listed peer is cut off without an answer, and the log says why`, async (t) => {
    const stage = await startStage(t)
    assert.equal(await receivedBy(t, stage, bytes), '')
    const line = stage.log.all.find(({ level }) => level === 40)
    assert.match(line!.msg!, /^closed a connection of 127\.0\.0\.1: it(?:s)? /)
    assert.equal(line!['peer'], '127.0.0.1')
    assert.equal((await seenBy(await opened(t, stage.port, text.ipv4), 'HTTP/1.1')).ip, '192.0.2.1')
  })

test('the log has one line for many connections', () => {
  const lines: string[] = []
  let now = 0
  const log = new FaultLog({ warn: (_fields: object, line: string) => void lines.push(line) } as never, () => now)
  for (now = 0; now < 25_000; now += 1000) log.add('10.0.0.1', 'it is late')
  log.add(undefined, 'it is late')
  assert.deepEqual(lines, [
    'closed a connection of 10.0.0.1: it is late',
    'closed a connection of 10.0.0.1: it is late; 9 more since the last such line, 10 s ago',
    'closed a connection of 10.0.0.1: it is late; 9 more since the last such line, 10 s ago',
  ])
})

test('a peer that is not listed cannot forge an address: its header is no request, and the log says so', async (t) => {
  for (const fastify of [{}, { http2: true }]) {
    const stage = await startStage(t, { from: ['192.0.2.0/24'] }, fastify)
    for (const header of [text.ipv4, binary(0x21, 0x11, ipv4)]) {
      const bytes = Buffer.concat([Buffer.from(header), Buffer.from(request)])
      assert.match(await receivedBy(t, stage, bytes), /^HTTP\/1\.1 400 /)
    }
    const warnings = stage.log.all.filter(({ level }) => level === 40)
    assert.deepEqual(
      warnings.map(({ msg }) => msg),
      ['closed a connection of 127.0.0.1: it began with a PROXY protocol header, but `from` does not list its address'],
    )
  }
})

test('a second header is not read', async (t) => {
  const stage = await startStage(t)
  const second = text.ipv4.replaceAll('192.0.2.1', '192.0.2.9')
  assert.match(await receivedBy(t, stage, `${text.ipv4}${second}${request}`), /^HTTP\/1\.1 400 /)
  assert.deepEqual(
    stage.log.all.filter(({ level }) => level === 40),
    [],
  )
})

test('an incomplete header is refused after the time limit; a client that sends nothing after its header is disconnected', async (t) => {
  const stage = await startStage(t, { timeout: 3000 }, { http2: true, http: { headersTimeout: 8000 } })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const connections = () =>
    new Promise<number>((resolve, reject) =>
      stage.app.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  const half = await opened(t, stage.port, text.ipv4.slice(0, 20))
  const silent = await opened(t, stage.port)
  const whole = await opened(t, stage.port, text.ipv4)
  const late = await opened(t, stage.port, text.ipv4)
  // What the server has read cannot be seen from outside; a later connection that is served was read after them.
  assert.equal((await seenBy(await opened(t, stage.port, text.ipv4), 'HTTP/1.1')).ip, '192.0.2.1')
  t.mock.timers.tick(2999)
  assert.equal(await connections(), 4)
  t.mock.timers.tick(1)
  await Promise.all([half, silent].map((socket) => socket.resume() && once(socket, 'close')))
  assert.equal(stage.log.all.filter(({ msg }) => msg?.includes('not whole in time')).length, 1)
  assert.equal(whole.closed, false)
  assert.equal((await seenBy(late, 'HTTP/1.1')).ip, '192.0.2.1')
  t.mock.timers.tick(5000)
  whole.resume()
  await once(whole, 'close')
})

test('who leaves at any moment harms nobody', async (t) => {
  const stage = await startStage(t)
  const header = binary(0x21, 0x11, ipv4)
  const hello = Buffer.from('16030100', 'hex')
  const starts = [request, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', hello, Buffer.from('PR')]
  for (const start of starts) {
    const bytes = Buffer.concat([header, Buffer.from(start)])
    for (let end = 0; end <= bytes.length; end += 3)
      for (const leave of ['reset', 'end'] as const) {
        const socket = await opened(t, stage.port, bytes.subarray(0, end))
        if (leave === 'reset') socket.resetAndDestroy()
        else socket.end()
        socket.resume()
        // The server has closed it, too.
        if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
      }
  }
  for (const way of ways) assert.equal((await seenBy(await opened(t, stage.port, header), way)).ip, '192.0.2.1')
  await stage.app.close()
})

test('over a Unix socket', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-protocol-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [from, ip] of [
    ['unix', '192.0.2.1'],
    ['0.0.0.0/0', undefined],
  ] as const) {
    const app = Fastify({ serverFactory: proxyProtocol({ from: [from] }) })
    app.get('/', async (asked) => ({ ip: asked.ip }))
    const path = join(folder, from.replaceAll('/', '-'))
    await app.listen({ path })
    t.after(() => app.close())
    const socket = connect(path)
    t.after(() => socket.destroy())
    socket.write(`${ip === undefined ? '' : text.ipv4}${request}`)
    let received = ''
    socket.on('data', (chunk) => (received += String(chunk)))
    await once(socket, 'close')
    assert.match(received, ip === undefined ? /\{\}$/ : /\{"ip":"192\.0\.2\.1"\}$/)
  }
})
