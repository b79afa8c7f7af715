import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ask } from '../../../test/support/ask.ts'
import { unusedOrigin } from '../../../test/support/backend.ts'
import { blocksIn, ProgramFolder } from '../../../test/support/documented-programs.ts'
import { startProgram } from '../../../test/support/program.ts'
import { root } from '../site/pages.ts'
import { written } from './pages.ts'

const tutorial = written.find(({ file }) => file.endsWith('tutorial.md'))!.text
const blocks = blocksIn(tutorial)
const blockOf = (title: string) => blocks.find((block) => block.title === title)!.code.trim()

/** The lines of the log that the page shows, as patterns: addresses and durations differ. */
const shown = [...tutorial.matchAll(/^ *(?:INFO|WARN): (.*)$/gm)].map(
  ([, line]) =>
    new RegExp(
      line!
        .replaceAll(/[.()[\]]/g, '\\$&')
        .replaceAll(/127\\\.0\\\.0\\\.1:\d+/g, '127\\.0\\.0\\.1:\\d+')
        .replaceAll(/\d+\\\.\d+ ms/g, '[\\d.]+ ms')
        .replaceAll(/for \d+\\\.\d s/g, 'for [\\d.]+ s'),
    ),
)

describe('five minutes', { timeout: 100_000 }, () => {
  const folder = new ProgramFolder('test/node_modules')
  after(() => folder.remove())

  test('a killed backend is not noticed, the log says why, and it comes back', async (t) => {
    const ports = await Promise.all([0, 1].map(async () => new URL(await unusedOrigin()).port))
    const file = folder.write('backend.ts', blockOf('Two backends'))
    const begin = async (port: string) => {
      const program = startProgram(t, file, { args: [port] })
      const answers = async () => (await ask(`http://127.0.0.1:${port}`).catch(() => undefined))?.status === 200
      while (!(await answers())) assert.deepEqual(program.stderr, [])
      return program
    }
    const [first] = await Promise.all(ports.map(begin))
    const words = blockOf('A balancer').split(' ')
    assert.deepEqual(words.slice(0, 2), ['npx', 'fastify-balancer'])
    const args = words.slice(2).map((word) => (word === '3001' ? ports[0]! : word === '3002' ? ports[1]! : word))
    const command = startProgram(t, join(root, 'packages/fastify-balancer/src/cli.ts'), {
      args: [...args, '--port', '0', '--log', 'pretty'],
      env: { NO_COLOR: '1' },
    })
    const [, url] = await command.until(/ at (http:\/\/127\.0\.0\.1:\d+)/)
    assert.equal((await ask(`${url}/_balancer/dashboard/`)).status, 200)
    const hello = async () => (await ask(`${url}/`)).body
    assert.deepEqual([await hello(), await hello()].sort(), ports.map((port) => `hello from ${port}\n`).sort())
    first!.child.kill('SIGINT')
    await first!.exit
    for (let turn = 0; turn < 12; turn++) assert.equal(await hello(), `hello from ${ports[1]}\n`)
    const [healthy, ...back] = shown.slice(4)
    for (const pattern of shown.slice(0, 4)) await command.until(pattern)
    await begin(ports[0]!)
    await command.until(healthy!)
    assert.deepEqual([await hello(), await hello()].sort(), ports.map((port) => `hello from ${port}\n`).sort())
    for (const pattern of back) await command.until(pattern)
    assert.deepEqual(command.stderr, [])
  })

  test('it needs nothing but the commands that it shows', () => {
    assert.equal(blockOf('Install'), 'npm install fastify fastify-balancer')
    assert.equal(shown.length, 7)
  })
})
