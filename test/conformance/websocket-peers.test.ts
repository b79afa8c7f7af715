// The cases of Autobahn's suite with two WebSocket libraries, each as client and as server: every byte must cross unchanged.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text as readText } from 'node:stream/consumers'
import { after, describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { startApp } from '../support/app.ts'
import { startTap, type Tap } from '../support/tap.ts'
import { until } from '../support/until.ts'
import { openWebSocket, startEchoBackend } from '../support/websockets.ts'
import { failOnCrash } from './no-crash.ts'

failOnCrash()

/** Debian's: its packages are not those of other Pythons on the PATH. */
const python = '/usr/bin/python3'
const hasPeer = spawnSync(python, ['-c', 'import websockets']).status === 0
const withPeer = { skip: !hasPeer && 'no python3-websockets: apt-get install python3-websockets' }
const script = fileURLToPath(new URL('websockets-peer.py', import.meta.url))
const started = new Set<ReturnType<typeof spawn>>()
after(() => started.forEach((child) => child.kill('SIGKILL')))

function startPython(...args: readonly string[]) {
  const child = spawn(python, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  started.add(child)
  return child
}

async function startPythonServer(): Promise<string> {
  const { stdout } = startPython('serve')
  const [line] = (await Promise.race([once(stdout.setEncoding('utf8'), 'data'), once(stdout, 'end')])) as [string]
  return `http://127.0.0.1:${line.trim()}`
}

/** A balancer in front of a backend, with a tap on each side. */
async function start(t: TestContext, backend: string) {
  const inner = await startTap(t, backend)
  const { app, url } = await startApp(t, { backends: [inner.url], drainDeadline: 20, upgrade: { idle: 0 } })
  const outer = await startTap(t, url)
  return { app, url: outer.url, outer, inner }
}

/** What went in on one side came out on the other, both ways. */
async function assertSame(outer: Tap, inner: Tap): Promise<void> {
  const told = ({ connections }: Tap, way: 'there' | 'back') => connections.map((one) => String(one[way]))
  await until('the last bytes have crossed', () =>
    (['there', 'back'] as const).every((way) => told(outer, way).join() === told(inner, way).join()),
  )
  assert.ok(outer.connections.length > 0)
}

const sizes = [0, 1, 125, 126, 65_535, 65_536, 1 << 20, 1 << 24]

async function answered(socket: WebSocket, send: () => void): Promise<{ data: Buffer; isBinary: boolean }> {
  const answer = once(socket, 'message') as Promise<[Buffer, boolean]>
  send()
  const [data, isBinary] = await answer
  return { data, isBinary }
}

/** Everything that `ws` does as a client of an echo. */
async function play(socket: WebSocket, most: number): Promise<void> {
  for (const size of sizes.filter((one) => one <= most)) {
    const data = Buffer.alloc(size, size % 2 === 0 ? '\0\xff' : 'x', 'latin1')
    const binary = await answered(socket, () => socket.send(data))
    assert.ok(binary.isBinary && binary.data.equals(data), `${size} bytes`)
    if (size >= 1 << 20) continue
    const text = Buffer.from('h\xe9'.repeat(size))
      .subarray(0, size - (size % 3))
      .toString()
    const back = await answered(socket, () => socket.send(text))
    assert.ok(!back.isBinary && back.data.toString() === text, `text of ${size} bytes`)
  }
  // Fragments, with control frames between them.
  const pong = once(socket, 'pong') as Promise<[Buffer]>
  const whole = await answered(socket, () => {
    socket.send('one ', { fin: false })
    socket.ping(Buffer.alloc(125, 'p'))
    socket.send('', { fin: false })
    socket.pong('unasked')
    socket.send('two', { fin: true })
  })
  assert.equal(whole.data.toString(), 'one two')
  assert.equal((await pong)[0].length, 125)
  // Many small frames.
  const many = 1000
  let count = 0
  const all = new Promise<void>((resolve) => {
    socket.on('message', () => ++count === many && resolve())
  })
  for (let index = 0; index < many; index++) socket.send(`${index}`)
  await all
}

const servers = {
  ws: (t: TestContext) => startEchoBackend(t, { perMessageDeflate: { threshold: 0 } }).then(({ url }) => url),
  python: startPythonServer,
} as const

for (const [name, startServer] of Object.entries(servers))
  describe(`a server of ${name}`, name === 'python' ? withPeer : {}, () => {
    for (const deflates of [false, true])
      test(`a client of ws${deflates ? ', with permessage-deflate' : ''}`, async (t) => {
        const { url, outer, inner } = await start(t, await startServer(t))
        const socket = await openWebSocket(t, url, { perMessageDeflate: deflates && { threshold: 0 } })
        assert.equal(socket.extensions !== '', deflates)
        await play(socket, deflates || name === 'ws' ? 1 << 20 : 1 << 24)
        socket.close(3456, 'of the client')
        const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
        assert.deepEqual([code, reason.toString()], [3456, 'of the client'])
        await assertSame(outer, inner)
        const [{ there }] = outer.connections as [(typeof outer.connections)[number]]
        assert.equal(there.bytes < 1 << 20, deflates)
      })

    test('a client of python', withPeer, async (t) => {
      const { url, outer, inner } = await start(t, await startServer(t))
      const { stdout } = startPython('ask', url.replace('http', 'ws'), name === 'ws' ? 'large' : 'small')
      const seen = JSON.parse(await readText(stdout)) as Record<string, unknown>
      const closed = { same: true, code: 3456, reason: 'of the client' }
      assert.deepEqual(seen, {
        deflate: { ...closed, extensions: ['PerMessageDeflate'] },
        None: { ...closed, extensions: [] },
        closed: [4001, 'of the server'],
      })
      await assertSame(outer, inner)
    })
  })
