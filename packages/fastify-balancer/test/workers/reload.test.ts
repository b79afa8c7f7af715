import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { InstancesView, ReloadReport } from '@fastify-balancer/admin-routes'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { isThere, keepAsking, patience, pidsIn, runFile } from './stage.ts'

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
  /** `2 of 2` are ready, by the metrics and by the API. */
  const ready = async () => {
    const figures = (await ask(`${url}/metrics`)).body
    const value = (name: string) => new RegExp(`^fastify_balancer_instances${name} (\\d+)$`, 'm').exec(figures)?.[1]
    const { wanted, instances } = JSON.parse((await ask(`${url}/_balancer/instances`)).body) as InstancesView
    const told = `${instances.filter(({ state }) => state === 'ready').length} of ${wanted}`
    return `${value('\\{state="ready"\\}')} of ${value('_wanted')}, ${told}`
  }
  // The workers before drain soon.
  while ((await ready()) !== '2 of 2, 2 of 2');

  const one = `${url}/_balancer/balancers/web/backends/one`
  const change = { method: 'PATCH', headers: { 'content-type': 'application/json' }, body: '{"weight":7}' }
  assert.equal((await ask(one, change)).status, 200)
  await write(content(b!.url, { metrics: true, workers: 1 }))
  await program.until(/by a rolling restart: .*weight 7 → 1, overriding a change through the admin API; workers 2 → 1/)
  assert.equal((JSON.parse((await ask(one)).body) as { weight: number }).weight, 1)
  while ((await ready()) !== '1 of 1, 1 of 1');
  const server = `${url}/_balancer/server/state`
  assert.equal((await ask(server, { ...change, method: 'PUT', body: '{"state":"drain"}' })).status, 200)
  assert.equal(await ready(), '0 of 1, 0 of 1')
  assert.equal((await ask(server, { ...change, method: 'PUT', body: '{"state":"ready"}' })).status, 200)
  assert.equal(await ready(), '1 of 1, 1 of 1')
  await write(content(b!.url, { metrics: true, workers: 1, log: { form: 'json', file: './balancer.log' } }))
  await program.until(/by a rolling restart: log\.file|starting 1 new worker/)
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

test('a reload does not wait for a paused worker, which follows once it goes on', patience, async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const content = (token: string, backend: string) => ({
    balancers: [{ name: 'web', backends: [{ id: 'one', url: backend }] }],
    admin: { token },
  })
  const { program, url, write } = await runFile(t, content('first-of-all-tokens', a!.url))
  while (pidsIn(program).size < 2) await ask(url)
  const [stopped] = pidsIn(program)
  process.kill(stopped!, 'SIGSTOP')
  t.after(() => isThere(stopped!) && process.kill(stopped!, 'SIGKILL'))
  await write(content('second-of-all-tokens', b!.url))
  await program.until(/reloaded \(balancer\.yaml changed\): .*; worker \d \(pid \d+\) follows once it answers/)
  const operate = async (token: string, weight?: number) => {
    const authorization = `Bearer ${token}`
    const path = `${url}/_balancer/balancers/web/backends/one`
    if (weight === undefined) return ask(path, { headers: { authorization } })
    const headers = { authorization, 'content-type': 'application/json' }
    return ask(path, { method: 'PATCH', headers, body: JSON.stringify({ weight }) })
  }
  process.kill(stopped!, 'SIGCONT')
  await program.until(/answers again/)
  // Each on a new connection, and so by the workers in turn.
  for (let known = 0; known < 4;) known = (await operate('second-of-all-tokens')).status === 200 ? known + 1 : 0
  assert.equal((await operate('second-of-all-tokens', 7)).status, 200)
  for (let asked = 0; asked < 4; asked++) {
    const { body } = await operate('second-of-all-tokens')
    const { weight, url: place } = JSON.parse(body) as { readonly weight: number; readonly url: string }
    assert.deepEqual([weight, place], [7, b!.url])
  }
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})

test('a reload whose new workers cannot listen changes nothing, and once they can, all of it', patience, async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const content = (backend: string, more: object = {}) => ({
    divideLimits: false,
    balancers: [{ name: 'web', backends: [{ id: 'one', url: backend, maxInFlight: 10 }] }],
    admin: true,
    ...more,
  })
  const { program, url, write } = await runFile(t, content(a!.url))
  const path = `${url}/_balancer/balancers/web/backends`
  const inForce = async () =>
    JSON.parse((await ask(path)).body) as { revision: number; backends: { url: string; limit: number }[] }
  assert.equal((await inForce()).backends[0]!.limit, 20, 'both workers may have all of it')
  await write(content(b!.url, { listen: [{ port: 0 }, { port }] }))
  await program.until(/not reloaded \(balancer\.yaml changed\), the configuration in force stays: port \d+ .* in use/)
  for (let asked = 0; asked < 4; asked++) {
    const { revision, backends } = await inForce()
    assert.deepEqual([revision, backends.map((one) => one.url)], [1, [a!.url]])
    assert.equal((await ask(url)).body, 'a')
  }

  taken.close()
  await once(taken, 'close')
  program.child.kill('SIGHUP')
  await program.until(/reloaded \(SIGHUP\) by a rolling restart: .*backends\.one/)
  for (let asked = 0; asked < 4; asked++) assert.equal((await ask(`http://127.0.0.1:${port}`)).body, 'b')
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})
