import assert from 'node:assert/strict'
import { chmod, chown, lstat, mkdir, readdir, readFile, rmdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ask } from '../../../../test/support/ask.ts'
import { startProgram } from '../../../../test/support/program.ts'
import { until } from '../../../../test/support/until.ts'
import { Keeper } from '../../src/persistence/keeper.ts'
import { backends, c, kept } from './persist-stage.ts'

describe('the file', () => {
  const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

  test('is for its owner only, unless it says otherwise', async (t) => {
    const { begin, file } = await kept(t)
    const umask = process.umask(0)
    t.after(() => process.umask(umask))
    const { ask: order } = await begin()
    await order('POST', backends, c)
    assert.equal(await modeOf(file), '600')
    await chmod(file, 0o664)
    process.umask(0o077)
    await order('DELETE', `${backends}/c`)
    assert.equal(await modeOf(file), '664')
  })

  test(
    'belongs to whom it belonged',
    { skip: process.geteuid?.() !== 0 && 'only root may give files away' },
    async (t) => {
      const { begin, file, saved } = await kept(t)
      await writeFile(file, JSON.stringify({ version: 1, balancers: {} }))
      await chown(file, 65_534, 65_533)
      const { ask: order } = await begin()
      await order('POST', backends, c)
      const { uid, gid } = await stat(file)
      assert.deepEqual([uid, gid, (await saved()).balancers.default.revision], [65_534, 65_533, 2])
    },
  )

  for (const isThere of [true, false])
    test(`a symbolic link stays one, ${isThere ? 'and what it leads to is replaced' : 'also when it leads to nothing yet'}`, async (t) => {
      const { begin, file, folder, saved } = await kept(t)
      await mkdir(join(folder, 'deep'))
      const real = join(folder, 'deep', 'real.json')
      if (isThere) await writeFile(real, JSON.stringify({ version: 1, balancers: {} }))
      await symlink('deep/link.json', file)
      await symlink('real.json', join(folder, 'deep', 'link.json'))
      const { ask: order } = await begin()
      assert.equal((await order('POST', backends, c)).status, 201)
      assert.ok((await lstat(file)).isSymbolicLink())
      assert.ok((await lstat(real)).isFile())
      assert.equal((await saved()).balancers.default.backends.length, 3)
      assert.deepEqual(await readdir(join(folder, 'deep')), ['link.json', 'real.json'])
    })

  test('what a killed process has left beside it does no harm', async (t) => {
    const { begin, file, folder } = await kept(t)
    await writeFile(`${file}.tmp`, 'half of')
    const { ask: order } = await begin()
    assert.equal((await order('POST', backends, c)).status, 201)
    assert.deepEqual(await readdir(folder), ['lists.json'])
  })

  test('of many writers at once, each is answered when its change is in the file', async (t) => {
    const { begin, saved } = await kept(t)
    const { app } = await begin({ backends: [] })
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const { statusCode } = await app.inject({
          method: 'POST',
          url: `/_balancer${backends}`,
          payload: { id: `n${index}`, url: `http://127.0.0.1:${index + 1}` },
        })
        const ids = (await saved()).balancers.default.backends.map(({ id }: { id: string }) => id)
        return [statusCode, ids.includes(`n${index}`)]
      }),
    )
    assert.deepEqual(
      answers,
      answers.map(() => [201, true]),
    )
    const { revision, backends: list } = (await saved()).balancers.default
    assert.deepEqual([revision, list.length], [101, 100])
  })

  test('is written once for all that have changed something at one moment', async (t) => {
    const { begin, folder } = await kept(t)
    const { app, log } = await begin()
    const file = join(folder, 'other.json')
    const keeper = await Keeper.open(file, app.balancers, app.log)
    // Each attempt is a line in the log.
    await mkdir(`${file}.tmp`)
    const count = () => log.all.filter(({ msg }) => msg === 'the lists could not be saved').length
    const saveAll = () => Promise.allSettled(Array.from({ length: 100 }, () => keeper.save(app.balancer)))
    const settled = await saveAll()
    assert.deepEqual([settled.length, settled.filter(({ status }) => status === 'rejected').length], [100, 100])
    assert.equal(count(), 1)
    await saveAll()
    assert.equal(count(), 2)
    await rmdir(`${file}.tmp`)
    await keeper.save(app.balancer)
    assert.equal(count(), 2)
  })
})

test('a process that is killed in the middle of many writes leaves a whole file, and nothing lost that was answered', async (t) => {
  const { file } = await kept(t)
  const program = fileURLToPath(new URL('persisting-process.ts', import.meta.url))
  const width = 100
  /** What was sent, and with which revision it was answered. */
  let sent = 0
  let last = 0
  for (let round = 1; round <= 3; round++) {
    const { child, exit, until: line } = startProgram(t, program, { args: [file] })
    const [, url] = await line(/^listening (.*)$/)
    const before = JSON.parse((await ask(`${url}/_balancer${backends}`)).body) as { backends: { weight: number }[] }
    if (round > 1) assert.equal(before.backends[0]!.weight, last)
    const acknowledged = new Map<number, number>()
    const write = async () => {
      for (;;) {
        const weight = ++sent
        const list = Array.from({ length: width }, (_, index) => ({ url: `http://127.0.0.1:${index + 1}`, weight }))
        const { status, headers } = await ask(`${url}/_balancer${backends}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ backends: list }),
        })
        if (status !== 200) return
        acknowledged.set(Number(String(headers.etag).slice(1, -1)), weight)
      }
    }
    const writers = Array.from({ length: 4 }, write)
    const enough = 15 * round
    await until(`${enough} changes are answered`, () => acknowledged.size >= enough)
    child.kill('SIGKILL')
    await Promise.all([...writers, exit])

    const { revision, backends: list } = JSON.parse(await readFile(file, 'utf8')).balancers.default as {
      revision: number
      backends: { weight?: number }[]
    }
    const newest = Math.max(...acknowledged.keys())
    assert.ok(revision >= newest, `revision ${newest} was answered, and ${revision} is in the file`)
    const weights = new Set(list.map(({ weight = 1 }) => weight))
    assert.deepEqual([list.length, weights.size], [width, 1])
    ;[last] = [...weights] as [number]
    assert.ok(last <= sent)
    if (acknowledged.has(revision)) assert.equal(acknowledged.get(revision), last)
    else assert.ok(![...acknowledged.values()].includes(last))
  }
})
