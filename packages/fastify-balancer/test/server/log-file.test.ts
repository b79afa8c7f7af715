import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, test, type TestContext } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackend } from '../../../../test/support/backend.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { until } from '../../../../test/support/until.ts'
import { folderOf } from '../reload/reloading.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const patience = { timeout: 100_000 }

interface Line {
  readonly msg: string
  readonly url?: string
}

/** Of all files whose names begin so; every line must be whole. */
function linesIn(folder: string, name: string): readonly Line[] {
  const files = readdirSync(folder).filter((file) => file.startsWith(name))
  const lines = files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
}

/** Runs the command with a log file. */
async function start(t: TestContext, path: (folder: string) => string = () => 'log/access.log') {
  const { url: backend } = await startBackend(t)
  const folder = await folderOf(t)
  mkdirSync(join(folder, 'log'))
  const file = join(folder, 'balancer.yaml')
  const log = path(folder)
  writeFileSync(
    file,
    `listen: [{ port: 0 }]\nbalancers: [{ backends: ["${backend}"], healthCheck: false }]\nlog: { file: ${log} }\n`,
  )
  const program = startProgram(t, cli, { args: ['--config', file] })
  return { folder: join(folder, 'log'), program }
}

async function address(folder: string): Promise<string> {
  const listening = () =>
    existsSync(join(folder, 'access.log'))
      ? linesIn(folder, 'access').find(({ msg }) => msg.startsWith('balancing'))
      : undefined
  await until('it listens', () => listening() !== undefined)
  return /http:\/\/127\.0\.0\.1:\d+(?= by )/.exec(listening()!.msg)![0]
}

const countOf = (folder: string, text: string) =>
  linesIn(folder, 'access').filter(({ msg }) => msg.includes(text)).length

describe('the log in a file', { concurrency: true }, () => {
  test('nothing is lost while it is rotated under load', patience, async (t) => {
    const { folder, program } = await start(t)
    const url = await address(folder)
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    t.after(() => agent.destroy())
    let sent = 0
    let isOver = false
    t.after(() => (isOver = true))
    const clients = Array.from({ length: 8 }, async () => {
      while (!isOver) await ask(`${url}/${sent++}`, { agent })
    })
    for (let rotation = 1; rotation <= 20; rotation++) {
      const before = sent
      renameSync(join(folder, 'access.log'), join(folder, `access.log.${rotation}`))
      program.child.kill('SIGUSR1')
      // Lines come meanwhile, into the one or the other.
      await until(`rotation ${rotation}`, () => sent > before + 16 && countOf(folder, 'was reopened') === rotation)
    }
    isOver = true
    await Promise.all(clients)
    // Node would say so if it had started the inspector.
    assert.deepEqual(program.stderr, [])
    const descriptors = readdirSync(`/proc/${program.child.pid}/fd`).flatMap((fd) => {
      const link = `/proc/${program.child.pid}/fd/${fd}`
      return existsSync(link) ? [readlinkSync(link)] : []
    })
    assert.deepEqual(
      descriptors.filter((one) => one.includes('access.log')),
      [join(folder, 'access.log')],
    )
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.deepEqual(program.stdout, [])
    const urls = linesIn(folder, 'access').flatMap(({ url: one }) => (one === undefined ? [] : [Number(one.slice(1))]))
    assert.deepEqual(
      urls.toSorted((a, b) => a - b),
      Array.from({ length: sent }, (_, index) => index),
    )
  })

  test('a file that cannot be opened again leaves the one before, and the next attempt works', patience, async (t) => {
    const { folder, program } = await start(t)
    const url = await address(folder)
    const path = join(folder, 'access.log')
    renameSync(path, `${path}.1`)
    mkdirSync(path)
    program.child.kill('SIGUSR1')
    await program.until(/^fastify-balancer: cannot write .*access\.log: it is a folder$/)
    rmSync(path, { recursive: true })
    await ask(`${url}/kept`)
    assert.match(readFileSync(`${path}.1`, 'utf8'), /not reopened, the one before is still written to: it is a folder/)
    const has = (log: string, what: string) => readFileSync(log, 'utf8').includes(`"url":"${what}"`)
    await until('the request is logged where the log was', () => has(`${path}.1`, '/kept'))
    program.child.kill('SIGUSR1')
    await until('it is reopened', () => countOf(folder, 'was reopened') === 1)
    assert.equal((await ask(`${url}/after`)).status, 200)
    await until('the next is logged in the new file', () => has(path, '/after'))
    program.child.kill('SIGTERM')
    assert.deepEqual(await program.exit, { code: 0, signal: null })
    assert.equal(program.stderr.length, 1)
  })

  for (const [what, path, told] of [
    ['in a folder that is not there', 'none/access.log', /cannot write .*none\/access\.log: there is no such folder$/],
    ['that is a folder', 'log', /cannot write .*\/log: it is a folder$/],
    // Root may write everywhere but there.
    [
      'where nobody may write',
      '/sys/access.log',
      /cannot write \/sys\/access\.log: (?:this user may not write there|that disk is read-only)$/,
    ],
  ] as const)
    test(`a file ${what} is told at the start`, patience, async (t) => {
      const { program } = await start(t, () => path)
      assert.deepEqual(await program.exit, { code: 2, signal: null })
      assert.match(program.stderr.join('\n'), told)
    })
})
