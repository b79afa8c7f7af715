import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { wantedBy } from '../../src/workers/parent/wanted.ts'
import { folderOf } from '../reload/reloading.ts'

const countOf = async (...argv: readonly string[]) => (await wantedBy(argv))?.count

test('a command line wants as many workers as it says, one by default', async () => {
  assert.equal(await countOf('-p', '80', '3001'), 1)
  assert.equal(await countOf('--', '--workers', '4', '-p', '80', '3001'), 4)
  assert.equal(await countOf('--workers=auto', '3001'), availableParallelism())
})

test('what is wrong, or runs nothing, is left to those who check it', async () => {
  assert.equal(await countOf('--workers', 'many', '3001'), 1)
  assert.equal(await countOf('--workers', '4', '--help'), undefined)
  assert.equal(await countOf('check', '--workers', '4'), undefined)
  assert.equal(await countOf('--workers', '4'), undefined)
  assert.equal(await countOf('--config', '/nowhere.yaml', '--workers', '4'), undefined)
})

test('a file wants as many as it says, with variables; the command line goes before it', async (t) => {
  const folder = await folderOf(t)
  const file = join(folder, 'balancer.yaml')
  const text = 'workers: ${WORKERS_OF_TEST:-3}\nlog: { form: json, level: warn, file: ./b.log }\n'
  await writeFile(file, text)
  assert.deepEqual(await wantedBy(['--config', file]), {
    count: 3,
    log: { form: 'json', level: 'warn', file: join(folder, 'b.log') },
    file,
    text,
    given: {},
  })
  const given = await wantedBy(['-c', file, '--workers', '5', '--log', 'pretty'])
  assert.deepEqual([given?.count, given?.log.form, given?.given], [5, 'pretty', { workers: '5', form: 'pretty' }])
  await writeFile(file, 'balancers: [')
  assert.equal(await countOf('-c', file), 1)
})
