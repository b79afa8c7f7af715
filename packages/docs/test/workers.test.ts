import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { startBackend } from '../../../test/support/backend.ts'
import { blocksIn, ProgramFolder } from '../../../test/support/documented-programs.ts'
import { startProgram } from '../../../test/support/program.ts'
import { until } from '../../../test/support/until.ts'
import { written } from './pages.ts'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test(
  'the program for several cores listens in each worker, replaces one that ends, and stops gently',
  { timeout: 100_000 },
  async (t) => {
    const { text } = written.find(({ file }) => file.endsWith('deploy.md'))!
    const block = blocksIn(text).find(({ code }) => code.includes('await workers('))!
    const folder = new ProgramFolder('test/node_modules')
    t.after(() => folder.remove())
    const held = Promise.withResolvers<ServerResponse>()
    const { url } = await startBackend(t, ({ url: path }, response) => {
      if (path === '/slow') held.resolve(response)
      else response.end('hello')
    })
    const program = block.code
      .replace("'http://127.0.0.1:3001', 'http://127.0.0.1:3002'", `'${url}'`)
      .replace('port: 8080', "port: 0, host: '127.0.0.1'")
      .replace(/\}\)\n$/, '}, { count: 2 })\n')
    const running = startProgram(t, folder.write('app.ts', program))
    const listening = () => running.stdout.filter((line) => line.includes('Server listening at'))
    await until('both workers listen', () => listening().length === 2)
    const [, address] = /(http:\/\/127\.0\.0\.1:\d+)/.exec(listening()[0]!)!
    const pidOf = (line: string) => (JSON.parse(line) as { pid: number }).pid
    assert.ok(!running.stdout.some((line) => line.includes('do not know of the others')))
    process.kill(pidOf(listening()[0]!), 'SIGKILL')
    await until('a third one listens', () => listening().length === 3)
    assert.equal((await ask(`${address}/`)).body, 'hello')
    const slow = ask(`${address}/slow`)
    const response = await held.promise
    running.child.kill('SIGTERM')
    const pids = listening().map(pidOf)
    await until('the idle one has ended', () => pids.filter(isAlive).length === 1)
    response.end('at last')
    assert.equal((await slow).body, 'at last')
    assert.deepEqual(await running.exit, { code: 0, signal: null })
    assert.deepEqual(running.stderr, [])
  },
)
