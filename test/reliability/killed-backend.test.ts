import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startApp } from '../support/app.ts'
import { ask, type Answer } from '../support/ask.ts'
import { unusedOrigin } from '../support/backend.ts'
import { startChild } from '../support/child.ts'
import { until } from '../support/until.ts'

const file = new URL('recording-backend.ts', import.meta.url)

/** A backend that can be killed and started again on its port. */
async function startRecordingBackend(t: TestContext, record: string) {
  let process: ChildProcess
  // Nobody else is given its port while it is dead.
  const url = await unusedOrigin()
  const begin = async () => {
    const { child } = await startChild(t, file, [new URL(url).port, record])
    process = child
  }
  await begin()
  return {
    url,
    get pid() {
      return process.pid!
    },
    async kill() {
      process.kill('SIGKILL')
      await once(process, 'exit')
    },
    restart: begin,
  }
}

/** Everything that the backends have received: process, method and id. */
function received(record: string): { pid: number; method: string; id: string }[] {
  return readFileSync(record, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [pid, method, id] = line.split(' ')
      return { pid: Number(pid), method: method!, id: id! }
    })
}

test('a backend killed under load costs no GET that had not begun, and no POST is delivered twice', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-backend-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const record = join(folder, 'received')
  const victim = await startRecordingBackend(t, record)
  const others = [await startRecordingBackend(t, record), await startRecordingBackend(t, record)]
  const { app, url } = await startApp(t, {
    backends: [{ url: victim.url, id: 'victim' }, ...others.map((backend) => backend.url)],
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  t.after(() => agent.destroy())

  let loaded = true
  let nextId = 0
  const answers: { method: string; id: string; answer: Answer }[] = []
  async function load(method: string): Promise<void> {
    while (loaded) {
      const id = `/${nextId++}`
      const answer = await ask(url + id, { method, agent, ...(method === 'POST' && { body: 'to be delivered once' }) })
      answers.push({ method, id, answer })
    }
  }
  const loads = [...Array.from({ length: 16 }, () => load('GET')), ...Array.from({ length: 8 }, () => load('POST'))]
  const more = async (count: number) => {
    const goal = answers.length + count
    await until(`${count} more requests are answered`, () => answers.length >= goal, 30_000)
  }

  for (let round = 0; round < 4; round++) {
    await more(200)
    await victim.kill()
    await more(200)
    await victim.restart()
    await until(
      'the backend that came back has traffic again',
      () => received(record).filter(({ pid }) => pid === victim.pid).length > 10,
      30_000,
    )
  }
  loaded = false
  await Promise.all(loads)

  const failed = answers.filter(({ answer }) => answer.status !== 200 || !answer.whole)
  // A GET whose response had begun is cut off; it is not answered with anything else than what had begun.
  assert.deepEqual(
    failed.filter(({ method, answer }) => method === 'GET' && (answer.status !== 200 || answer.whole)),
    [],
  )
  for (const { method, answer } of failed) if (method === 'POST' && answer.whole) assert.equal(answer.status, 502)

  const deliveries = new Map<string, number>()
  for (const { method, id } of received(record))
    if (method === 'POST') deliveries.set(id, (deliveries.get(id) ?? 0) + 1)
  assert.deepEqual(
    [...deliveries].filter(([, times]) => times > 1),
    [],
  )
  const undelivered = answers.filter(
    ({ method, id, answer }) => method === 'POST' && answer.status === 200 && !deliveries.has(id),
  )
  assert.deepEqual(undelivered, [])

  const backend = app.balancer.backend('victim')
  assert.ok(backend.outcomes['connect-refused']! > 0, 'it was asked while it was dead')
  assert.equal(backend.inFlight, 0)
  assert.equal(app.balancer.exchanges, 0)
})
