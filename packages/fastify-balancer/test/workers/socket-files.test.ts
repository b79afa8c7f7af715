import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { SocketFiles } from '../../src/workers/parent/socket-files.ts'
import { folderOf } from '../reload/reloading.ts'

test('a socket that was in use can be opened once it is not', async (t) => {
  const path = join(await folderOf(t), 'balancer.sock')
  const other = createServer().listen(path)
  await once(other, 'listening')
  const files = new SocketFiles()
  assert.match((await files.clear(path))!, /is in use by another process/)
  other.close()
  await once(other, 'close')
  assert.equal(await files.clear(path), undefined)
})
