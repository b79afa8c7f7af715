import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { folderOf } from './reloading.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
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
