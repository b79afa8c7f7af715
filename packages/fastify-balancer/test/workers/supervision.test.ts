import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { until } from '../../../../test/support/until.ts'
import { folderOf } from '../reload/reloading.ts'
import { blocking, cli, isThere, keepAsking, patience, pidsIn, runFile, startHolding } from './stage.ts'

test('a killed worker is replaced, a blocked one is told of, and SIGTERM lets all finish', patience, async (t) => {
  const { url: backend, held, answer } = await startHolding(t)
  const rewrite = { request: { module: './block.js', export: 'request' } }
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend], rewrite }] }, { 'block.js': blocking })
  const starts = program.stdout.filter((line) => line.includes(' by round-robin'))
  assert.equal(starts.length, 1)
  const load = keepAsking(t, url, 2)
  await until('both workers have answered', () => pidsIn(program).size === 2)
  const [victim, other] = pidsIn(program)
  process.kill(victim!, 'SIGKILL')
  await program.until(/worker \d \(pid \d+\) ended: signal SIGKILL; replaced"/)
  const answers = await load.stop()
  // Each on a new connection, and so by the workers in turn.
  while (pidsIn(program).size < 3) assert.equal((await ask(url)).status, 200)
  const failed = answers.filter(({ status }) => status !== 200)
  // What was in flight there, on one connection of each client at most.
  assert.ok(failed.length <= 2, `${failed.length} failed`)
  assert.ok(isThere(other!))

  const blocked = ask(`${url}/block/3000`)
  await program.until(/worker \d \(pid \d+\) has not answered for \d\.\d s: its event loop is blocked/)
  await program.until(/worker \d \(pid \d+\) answers again, after \d\.\d s/)
  assert.equal((await blocked).status, 200)

  const holding = ask(`${url}/hold`)
  await held
  program.child.kill('SIGTERM')
  await program.until(/SIGTERM: stopping; requests and tunnels that may end first: \d/)
  await answer()
  assert.equal((await holding).body, 'in time')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  assert.deepEqual(program.stderr, [])
})

test('when the parent is killed, workers finish what they have, and end', patience, async (t) => {
  const { url: backend, held, answer } = await startHolding(t)
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend] }] })
  const load = keepAsking(t, url, 2)
  await until('both workers have answered', () => pidsIn(program).size === 2)
  await load.stop()
  const holding = ask(`${url}/hold`)
  await held
  program.child.kill('SIGKILL')
  await until('the idle worker has gone', () => [...pidsIn(program)].filter(isThere).length === 1)
  await answer()
  assert.equal((await holding).body, 'in time')
  await until('the other one has gone, too', () => ![...pidsIn(program)].some(isThere))
})

test('what hinders all workers from starting is said once, with the exit code of one process', patience, async (t) => {
  const file = join(await folderOf(t), 'balancer.yaml')
  writeFileSync(file, 'workers: 2\nbalancers:\n- name: web\n  polcy: p2c\n  backends: [nonsense]\n')
  const faulty = startProgram(t, cli, { args: ['--config', file] })
  assert.deepEqual(await faulty.exit, { code: 2, signal: null })
  const told = faulty.stderr.join('\n')
  assert.equal(told.split('cannot be used: 2 faults').length, 2)
  assert.equal(told.split(/balancer\.yaml:4:3: .*polcy/).length, 2)

  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const args = ['--workers', '2', '--port', String(port), '--health-path', 'off', '--log', 'json', '127.0.0.1:9']
  const busy = startProgram(t, cli, { args })
  assert.deepEqual(await busy.exit, { code: 1, signal: null })
  assert.deepEqual(busy.stderr, [`fastify-balancer: port ${port} of 127.0.0.1 is in use; choose another port`])
})
