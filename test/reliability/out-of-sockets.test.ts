import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ask, type Answer } from '../support/ask.ts'
import { startBackend } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import type { CheckedReport } from './checked-process.ts'

const canLimit = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0

/** Connects and asks for what is not there; true if the connection is accepted and kept. */
function isAccepted(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.write('GET /not-there HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.once('data', () => resolve(true))
    socket.on('close', () => resolve(false))
    socket.on('error', () => {})
  })
}

/** Takes every file descriptor that a process has left, by connections that wait. */
async function exhaust(t: TestContext, port: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    if (!(await isAccepted(socket))) return sockets
    sockets.push(socket)
  }
}

test(
  'a process without a file descriptor left blames no backend, and says what it is',
  { skip: canLimit ? false : 'no prlimit' },
  async (t) => {
    // A connection that is kept would need no new one.
    const answer: RequestListener = (_incoming, response) => response.setHeader('connection', 'close').end()
    const backends = [await startBackend(t, answer), await startBackend(t, answer)]
    const { child, first } = await startChild(t, new URL('checked-process.ts', import.meta.url), [
      JSON.stringify({ prefix: '/app', backends: backends.map(({ url }) => url), failureHeader: true }),
      JSON.stringify({ interval: 100, jitter: 0, fall: 1 }),
    ])
    const port = Number(first)
    const report = async () => {
      child.send('report')
      const [told] = (await once(child, 'message')) as [CheckedReport]
      return told
    }
    const open = readdirSync(`/proc/${child.pid}/fd`).length
    spawnSync('prlimit', ['--pid', String(child.pid), `--nofile=${open + 20}`])
    const taken = await exhaust(t, port)
    assert.ok(taken.length > 5)

    const refused: Answer[] = []
    // More of them than open a circuit, or eject a backend.
    while (refused.length < 12) {
      const socket = taken.pop()!
      socket.destroy()
      await once(socket, 'close')
      // There is one descriptor for the client, as soon as the process knows of it, and none for a backend, unless it is
      // slow to know that.
      const answered = await ask(`http://127.0.0.1:${port}/app`)
      if (answered.status !== 0 && answered.status !== 200) refused.push(answered)
      taken.push(...(await exhaust(t, port)))
    }
    for (const { status, headers, body } of refused) {
      assert.deepEqual([status, headers['x-balancer-failure'], headers['retry-after']], [503, 'out-of-sockets', '1'])
      assert.deepEqual(JSON.parse(body), {
        statusCode: 503,
        code: 'FST_BALANCER_OUT_OF_SOCKETS',
        error: 'Service Unavailable',
        message: 'Too many connections are open',
      })
    }
    const { objections, outcomes, errors } = await report()
    assert.deepEqual(objections, [])
    for (const { ok, 'out-of-sockets': count = 0, ...others } of outcomes) {
      // Each has tried both: the other one might have had a connection left.
      assert.ok(count >= 12, `${count}, ${ok}`)
      assert.deepEqual(others, {})
    }
    assert.ok(errors.length >= 24)
    assert.deepEqual(
      errors.filter((error) => !error.includes('EMFILE')),
      [],
    )

    for (const socket of taken) socket.destroy()
    let answered = await ask(`http://127.0.0.1:${port}/app`)
    while (answered.status !== 200) answered = await ask(`http://127.0.0.1:${port}/app`)
  },
)
