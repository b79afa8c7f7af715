import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { referenceFolder, referencePages } from '../generate/reference.ts'

const write = 'node packages/docs/generate/reference.ts --write'

test('the reference is what the source says', async () => {
  const pages = await referencePages()
  for (const [file, text] of Object.entries(pages))
    assert.equal(readFileSync(join(referenceFolder, file), 'utf8'), text, `${file}: ${write}`)
  assert.deepEqual(globSync('**/*.md', { cwd: referenceFolder }).sort(), Object.keys(pages).sort(), write)
})
