import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { load } from '../../src/configuration/loading.ts'
import { folderOf } from '../reload/reloading.ts'

test('a module whose import does not end is a fault, each time it is loaded', async (t) => {
  const folder = await folderOf(t)
  await writeFile(join(folder, 'endless.mjs'), 'await new Promise(() => setInterval(() => {}, 1000).unref())')
  const reference = { role: 'module', pointer: '/hook', value: { module: './endless.mjs' } } as const
  for (let time = 0; time < 2; time++) {
    const { fault } = await load(reference, folder, 1)
    assert.deepEqual(fault, {
      pointer: '/hook/module',
      message: 'cannot load ./endless.mjs: Error: its import has not ended within 1 ms',
    })
  }
})
