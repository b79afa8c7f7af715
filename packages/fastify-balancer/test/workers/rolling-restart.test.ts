import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { keepAsking, patience, pidsIn, runFile } from './stage.ts'

test('a rolling restart under load fails no request, and ends with new workers only', patience, async (t) => {
  const [backend] = await startBackends(t, 'a')
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend!.url] }] })
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
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  assert.deepEqual(program.stderr, [])
})

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
