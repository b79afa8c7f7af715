import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { foldersOf } from '../../src/reload/file-contents.ts'
import { FileWatch, type FileWatchOptions } from '../../src/reload/file-watch.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'file-watch-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** It is never looked without a sign, unless the test says otherwise. */
const bySigns = { settle: 20, period: 1_000_000 }

async function watching(t: TestContext, files: readonly string[], options: FileWatchOptions = bySigns) {
  const told: string[][] = []
  const watch = await FileWatch.open(files, options)
  t.after(() => watch.close())
  await watch.start((changed) => void told.push([...changed]))
  return { watch, told }
}

/** As a ConfigMap is mounted: `file` → `..data/file`, `..data` → a folder that is made anew for each change. */
async function mounted(path: string, text: string, version: number): Promise<void> {
  const data = `..${version}`
  await mkdir(join(path, data))
  await writeFile(join(path, data, 'file'), text)
  await symlink(data, join(path, '..data_tmp'))
  await rename(join(path, '..data_tmp'), join(path, '..data'))
}

describe('a change is noticed', () => {
  test('that is written in place', async (t) => {
    const file = join(await folder(t), 'file')
    await writeFile(file, 'one')
    const { told } = await watching(t, [file])
    await writeFile(file, 'two')
    await until('it is told', () => told.length > 0)
    assert.deepEqual(told, [[file]])
  })

  test('that replaces the file, as editors do, again and again', async (t) => {
    const path = await folder(t)
    const [file, other] = [join(path, 'file'), join(path, 'other')]
    await writeFile(file, '0')
    await writeFile(other, 'stays')
    const { told } = await watching(t, [file, other])
    for (let count = 1; count <= 3; count++) {
      await writeFile(join(path, '.file.swp'), String(count))
      await rename(join(path, '.file.swp'), file)
      await until('it is told', () => told.length === count)
    }
    assert.deepEqual(told, [[file], [file], [file]])
  })

  test('that swaps the folder of a mounted ConfigMap, and its next ones', async (t) => {
    const path = await folder(t)
    const file = join(path, 'file')
    await mounted(path, 'one', 1)
    await symlink('..data/file', file)
    const { told } = await watching(t, [file])
    for (const version of [2, 3]) {
      await mounted(path, `version ${version}`, version)
      await until('it is told', () => told.length === version - 1)
      await rm(join(path, `..${version - 1}`), { recursive: true })
    }
  })

  test('that writes behind a link into another folder', async (t) => {
    const [path, elsewhere] = [await folder(t), await folder(t)]
    const [file, real] = [join(path, 'file'), join(elsewhere, 'real')]
    await writeFile(real, 'one')
    await symlink(real, file)
    const { told } = await watching(t, [file])
    await writeFile(real, 'two')
    await until('it is told', () => told.length === 1)
  })

  test('between the reading and the beginning of the watch', async (t) => {
    const file = join(await folder(t), 'file')
    await writeFile(file, 'one')
    const watch = await FileWatch.open([file], bySigns)
    t.after(() => watch.close())
    await writeFile(file, 'two')
    const told: string[][] = []
    await watch.start((changed) => void told.push([...changed]))
    assert.deepEqual(told, [[file]])
  })

  test('without any sign, in a folder that is not there yet', async (t) => {
    const path = await folder(t)
    const file = join(path, 'later', 'file')
    const { told } = await watching(t, [file], { settle: 5, period: 20 })
    await mkdir(join(path, 'later'))
    await writeFile(file, 'one')
    await until('it is told', () => told.length > 0)
    assert.deepEqual(told, [[file]])
  })

  test('of a file that is followed only later, and of one that is not any more no change is', async (t) => {
    const path = await folder(t)
    const [file, other, third] = [join(path, 'a'), join(await folder(t), 'b'), join(path, 'c')]
    for (const one of [file, other, third]) await writeFile(one, 'one')
    const { watch, told } = await watching(t, [file])
    await watch.follow([other, third])
    await writeFile(file, 'two')
    await writeFile(other, 'two')
    await until('it is told', () => told.length === 1)
    await writeFile(third, 'two')
    await until('it is told', () => told.length === 2)
    assert.deepEqual(told, [[other], [third]])
  })
})

test('what is written with the same content is no change', async (t) => {
  const file = join(await folder(t), 'file')
  await writeFile(file, 'one')
  const { told } = await watching(t, [file])
  await writeFile(file, 'one')
  await rm(file)
  await writeFile(file, 'one')
  await writeFile(join(file, '..', 'noise'), 'of somebody else')
  // What follows is noticed, and so was what came before.
  await writeFile(file, 'two')
  await until('it is told', () => told.length > 0)
  assert.deepEqual(told, [[file]])
})

test('once closed, nothing is told', async (t) => {
  const file = join(await folder(t), 'file')
  await writeFile(file, 'one')
  const { watch, told } = await watching(t, [file])
  watch.close()
  await writeFile(file, 'two')
  const second = await watching(t, [file])
  await writeFile(file, 'three')
  await until('somebody else is told', () => second.told.length > 0)
  assert.deepEqual(told, [])
})

test('folders of all links on the way are watched', async (t) => {
  const path = await folder(t)
  await mkdir(join(path, 'real', 'deep'), { recursive: true })
  await symlink('real', join(path, 'link'))
  await writeFile(join(path, 'real', 'deep', 'file'), '')
  const folders = await foldersOf(join(path, 'link', 'deep', 'file'))
  for (const one of [join(path, 'link', 'deep'), path, join(path, 'real', 'deep')])
    assert.ok(folders.includes(one), `${one} of ${folders.join()}`)
  await symlink('b', join(path, 'a'))
  await symlink('a', join(path, 'b'))
  assert.ok((await foldersOf(join(path, 'a'))).includes(path))
})
