import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ReloadReport } from '@fastify-balancer/admin-routes'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { keepAsking, patience, pidsIn, runFile } from './stage.ts'

test('a reload is of all workers: in place where that can be, else by a rolling restart', patience, async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const content = (backend: string, more: object = {}) => ({
    balancers: [{ name: 'web', backends: [{ id: 'one', url: backend }] }],
    admin: true,
    ...more,
  })
  const { program, url, write, operate, folder } = await runFile(t, content(a!.url))
  const load = keepAsking(t, url, 4)
  await until('both workers have answered', () => pidsIn(program).size === 2)
  const before = pidsIn(program)

  await write(content(b!.url))
  await program.until(/reloaded \(balancer\.yaml changed\): balancers\.web\.backends\.one/)
  const revisions: unknown[] = []
  for (let asked = 0; asked < 4; asked++) {
    assert.equal((await ask(url)).body, 'b')
    const { body } = await ask(`${url}/_balancer/balancers/web/backends`)
    revisions.push((JSON.parse(body) as { revision: number }).revision)
  }
  assert.deepEqual(revisions, [2, 2, 2, 2])

  await write({ balancers: [{ name: 'web', backends: ['nonsense'] }] })
  await program.until(/not reloaded \(balancer\.yaml changed\), the configuration in force stays: .*nonsense/)
  program.child.kill('SIGHUP')
  await program.until(/not reloaded \(SIGHUP\)/)
  assert.equal((await operate('/reload')).status, 409)
  assert.equal((await ask(url)).body, 'b')
  assert.deepEqual(pidsIn(program), before)

  await write(content(b!.url, { metrics: true }))
  await program.until(/reloaded \(balancer\.yaml changed\) by a rolling restart: metrics /)
  await until('the new workers have answered', () => pidsIn(program).size === 4)
  assert.equal((await ask(`${url}/metrics`)).status, 200)

  await write(content(b!.url, { metrics: true, workers: 1 }))
  await program.until(/by a rolling restart: workers 2 → 1/)
  await write(content(b!.url, { metrics: true, workers: 1, log: { form: 'json', file: './balancer.log' } }))
  await program.until(/\(balancer\.yaml changed\): 1 new workers are starting/)
  const logged = join(folder, 'balancer.log')
  const inLog = (text: string) => existsSync(logged) && readFileSync(logged, 'utf8').includes(text)
  await until('the log goes on in the file', () => inLog('by a rolling restart: log.file'))
  renameSync(logged, `${logged}.1`)
  program.child.kill('SIGUSR1')
  await until('there is a new file', () => inLog('SIGUSR1: the log file was reopened'))
  await until('the worker writes there, too', () => inLog('"attempts"'))
  const dry = JSON.parse((await operate('/reload?dryRun=true')).body) as ReloadReport
  assert.deepEqual([dry.applied, dry.changes], [false, []])
  const failed = (await load.stop()).filter(({ status, whole }) => status !== 200 || !whole)
  assert.deepEqual(failed, [])
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})
