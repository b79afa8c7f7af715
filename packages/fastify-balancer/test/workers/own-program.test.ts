import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../../../../test/support/ask.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { patience, startHolding } from './stage.ts'

const file = fileURLToPath(new URL('./own-program.ts', import.meta.url))

const restart = (url: string) => ask(`${url}/_balancer/server/restart`, { method: 'POST' })

async function run(t: TestContext, count: number) {
  const { url } = await startHolding(t)
  return startProgram(t, file, { env: { BACKEND: url, WORKERS: String(count) } })
}

test("a program of one's own restarts its workers by the admin API", patience, async (t) => {
  const program = await run(t, 2)
  const [, port] = await program.until(/listening at .*:(\d+)/)
  // With the next heartbeat.
  for (let wanted: unknown; wanted !== 2;) {
    const answer = await ask(`http://127.0.0.1:${port}/_balancer/instances`)
    wanted = (JSON.parse(answer.body) as { readonly wanted?: number }).wanted
  }
  const { status, body } = await restart(`http://127.0.0.1:${port}`)
  assert.equal(status, 200, body)
  assert.match(body, /2 new workers listen/)
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})
