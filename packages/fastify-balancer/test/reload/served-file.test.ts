import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend, startBackends } from '../../../../test/support/backend.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { folderOf } from './reloading.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
/** A backend that answers once it is told to. */
async function startHolding(t: TestContext) {
  const { promise: arrived, resolve } = Promise.withResolvers<ServerResponse>()
  const { url } = await startBackend(t, (_request, response) => resolve(response))
  return { url, arrived, answer: async () => void (await arrived).end('in time') }
}

const patience = { timeout: 100_000 }

test('the command follows its file: when it is replaced, on SIGHUP, and by the admin API', patience, async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const folder = await folderOf(t)
  const file = join(folder, 'balancer.yaml')
  const text = (...lines: readonly string[]) =>
    ['listen: [{ port: 0 }]', 'admin: { token: a-token-that-is-long }', 'balancers:', '- name: web', ...lines, ''].join(
      '\n',
    )
  /** As editors do it. */
  const replace = async (content: string) => {
    await writeFile(`${file}.new`, content)
    await rename(`${file}.new`, file)
  }
  await writeFile(file, text(`  backends: [{ id: a, url: "${a!.url}" }]`))
  const program = startProgram(t, cli, { args: ['--config', file, '--log', 'json'] })
  const [url] = await program.until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)

  await replace(text(`  backends: [{ id: b, url: "${b!.url}" }]`))
  await program.until(
    /reloaded \(balancer\.yaml changed\): balancers\.web\.backends\.b added; balancers\.web\.backends\.a removed"/,
  )
  assert.equal((await ask(url)).body, 'b')

  await replace(text(`  backends: [{ id: b, url: "${b!.url}" }]`, '  policy: best'))
  await program.until(
    /not reloaded \(balancer\.yaml changed\), the configuration in force stays: .*balancer\.yaml:6:11: /,
  )
  assert.equal((await ask(url)).body, 'b')

  program.child.kill('SIGHUP')
  await program.until(/not reloaded \(SIGHUP\)/)
  const headers = { authorization: 'Bearer a-token-that-is-long' }
  const refused = await ask(`${url}/_balancer/reload`, { method: 'POST', headers })
  assert.equal(refused.status, 409)
  assert.match(refused.body, /FST_BALANCER_ADMIN_RELOAD_REFUSED.*balancer\.yaml:6:11: /)

  await replace(text(`  backends: [{ id: a, url: "${a!.url}" }]`, '  policy: p2c'))
  await program.until(/reloaded \(balancer\.yaml changed\): .*policy round-robin → p2c/)
  assert.equal((await ask(url)).body, 'a')
  const dry = await ask(`${url}/_balancer/reload?dryRun=true`, { method: 'POST', headers })
  assert.deepEqual([dry.status, (JSON.parse(dry.body) as { changes: unknown }).changes], [200, []])

  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})

test('SIGHUP while it stops ends no request', patience, async (t) => {
  const { url: backend, arrived, answer } = await startHolding(t)
  const file = join(await folderOf(t), 'balancer.yaml')
  await writeFile(file, `listen: [{ port: 0 }]\nbalancers: [{ backends: ["${backend}"], healthCheck: false }]\n`)
  const { child, until, exit } = startProgram(t, cli, { args: ['--config', file, '--log', 'json'] })
  const [url] = await until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)
  const held = ask(url)
  await arrived
  child.kill('SIGTERM')
  await until(/SIGTERM: stopping/)
  child.kill('SIGHUP')
  await answer()
  assert.equal((await held).body, 'in time')
  assert.deepEqual(await exit, { code: 0, signal: null })
})

test('without a file, SIGHUP stops it gently, and a second one changes nothing', patience, async (t) => {
  const { url: backend, arrived, answer } = await startHolding(t)
  const args = ['--port', '0', '--health-path', 'off', '--log', 'json', backend]
  const { child, until, exit } = startProgram(t, cli, { args })
  const [url] = await until(/http:\/\/127\.0\.0\.1:\d+(?= by )/)
  const held = ask(url)
  await arrived
  child.kill('SIGHUP')
  await until(/SIGHUP: stopping/)
  child.kill('SIGHUP')
  await answer()
  assert.equal((await held).body, 'in time')
  assert.deepEqual(await exit, { code: 0, signal: null })
})

test('a file that cannot be used names every fault, and nothing is started', patience, async (t) => {
  const file = join(await folderOf(t), 'balancer.yaml')
  await writeFile(file, 'balancers:\n- name: web\n  polcy: p2c\n  backends: [nonsense]\n')
  const program = startProgram(t, cli, { args: ['--config', file] })
  assert.deepEqual(await program.exit, { code: 2, signal: null })
  const told = program.stderr.join('\n')
  assert.match(told, /balancer\.yaml:3:3: .*polcy/)
  assert.match(told, /balancer\.yaml:4:14: /)
  assert.match(told, /cannot be used: 2 faults/)
})
