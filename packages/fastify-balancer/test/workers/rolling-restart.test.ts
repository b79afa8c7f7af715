import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { until } from '../../../../test/support/until.ts'
import { isThere, keepAsking, patience, pidsIn, runFile, startHolding } from './stage.ts'

test('a rolling restart under load fails no request, and ends with new workers only', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend] }], admin: true })
  const load = keepAsking(t, url, 4)
  await until('both workers have answered', () => pidsIn(program).size === 2)
  const before = pidsIn(program)
  program.child.kill('SIGUSR2')
  await program.until(/restarted \(SIGUSR2\): 2 new workers listen/)
  await until('the new workers have answered', () => pidsIn(program).size === 4)
  await until('the workers before have gone', () => [...before].every((pid) => !isThere(pid)))
  const answers = await load.stop()
  assert.deepEqual(
    answers.filter(({ status, whole }) => status !== 200 || !whole),
    [],
  )
  const { body } = await ask(`${url}/_balancer/balancers/default/history?range=5m`)
  const { totals } = JSON.parse(body) as { readonly totals: { readonly requests: readonly number[] } }
  const recorded = totals.requests.reduce((sum, one) => sum + one, 0)
  assert.equal(recorded, answers.length, 'what the workers before have recorded stays')
  assert.equal(program.stdout.filter((line) => line.includes('limit: ')).length, 2, 'said once by each generation')
  const ids = program.stdout.flatMap((line) => (JSON.parse(line) as { readonly reqId?: string }).reqId ?? [])
  assert.equal(new Set(ids).size, ids.length, 'an id means one request')
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  assert.deepEqual(program.stderr, [])
})
