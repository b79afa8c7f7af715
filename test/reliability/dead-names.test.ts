import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../support/ask.ts'
import { asked, startBackends, type TestBackend } from '../support/backend.ts'
import { startNameServer } from '../support/name-server.ts'
import { startProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

/** Runs what follows with another /etc/resolv.conf, which `$0` names. */
const withResolvConf = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'

/** Whether this user may do that. */
function mayMount(file: string): boolean {
  try {
    execFileSync('unshare', ['--mount', 'sh', '-c', withResolvConf, file, 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('with four threads and 40 names that nobody answers for, traffic, probes and the app’s own look-ups go on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const resolvConf = join(folder, 'resolv.conf')
  writeFileSync(resolvConf, 'nameserver 127.99.0.1\n')
  if (!mayMount(resolvConf)) return t.skip('only root may give a process a resolv.conf of its own')

  const dead = Array.from({ length: 40 }, (_, index) => `dead${index}.example`)
  const silent = { silent: ['A', 'AAAA'] } as const
  const names = await startNameServer(
    t,
    {
      ...Object.fromEntries(dead.map((name) => [name, silent])),
      'one.example': { A: ['127.0.0.1'], ttl: 0 },
      'other.example': { A: ['127.0.0.1'], ttl: 0 },
      'database.example': { A: ['127.0.0.7'] },
    },
    { host: '127.99.0.1', port: 53 },
  )
  const [one, other] = (await startBackends(t, 'one', 'other')) as [TestBackend, TestBackend]
  const options = {
    backends: [
      ...dead.map((name) => `http://${name}`),
      one.url.replace('127.0.0.1', 'one.example'),
      other.url.replace('127.0.0.1', 'other.example'),
    ],
    healthCheck: { interval: 100, timeout: 1000 },
  }
  const program = startProgram(t, fileURLToPath(new URL('names-process.ts', import.meta.url)), {
    args: [JSON.stringify(options), 'database.example'],
    env: { UV_THREADPOOL_SIZE: '4' },
    within: ['unshare', '--mount', 'sh', '-c', withResolvConf, resolvConf],
  })
  const [, url] = await program.until(/listening on (.*)/)
  const questionsOfDead = () => names.asked.filter((question) => question.includes('dead')).length
  await until('the dead names are asked for', () => questionsOfDead() >= 2 * dead.length)

  const probes = [one, other].map(({ received }) => received.length)
  for (let count = 0; count < 100; count++) {
    const { status, body } = await ask(url!)
    assert.ok(status === 200 && ['one', 'other'].includes(body), `${status} ${body}`)
    if (count % 10 === 0) assert.equal((await ask(`${url}/own`)).body, '127.0.0.7')
  }
  await until('both are probed on', () =>
    [one, other].every(({ received }, index) => received.length > probes[index]! + 10),
  )
  assert.deepEqual([asked(one).length, asked(other).length], [50, 50])
})
