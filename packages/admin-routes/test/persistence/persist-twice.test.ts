import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { listenApp } from '../../../../test/support/app.ts'
import { ask } from '../../../../test/support/ask.ts'
import adminRoutes from '../../src/index.ts'
import { backends, c, kept } from './persist-stage.ts'
import { a } from '../stage.ts'

const empty = JSON.stringify({ version: 1, balancers: {} })

/** An app that keeps its lists in all of these files, each by routes of its own. */
async function start(t: TestContext, ...files: string[]) {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(balancer, { backends: [a] })
  for (const [index, persist] of files.entries())
    // oxlint-disable-next-line no-await-in-loop -- in the order of their registration
    await app.register(adminRoutes, { insecure: true, prefix: `/${index}`, persist })
  return app
}

const refusedFor = (file: string) => ({
  code: 'FST_BALANCER_ADMIN_BAD_OPTIONS',
  message: `Bad admin routes options: persist: other admin routes already save to '${file}'`,
})

describe('a file of lists', () => {
  for (const isThere of [true, false])
    test(`is kept by one, whatever path leads there, ${isThere ? 'when it is there' : 'before it is there'}`, async (t) => {
      const { file, folder } = await kept(t)
      if (isThere) await writeFile(file, empty)
      await mkdir(join(folder, 'deep'))
      await symlink('.', join(folder, 'same'))
      await symlink('../lists.json', join(folder, 'deep', 'link.json'))
      const paths = {
        [file]: file,
        [`${folder}/deep/../lists.json`]: file,
        [relative('.', file)]: file,
        [join(folder, 'same', 'lists.json')]: join(folder, 'same', 'lists.json'),
        [join(folder, 'deep', 'link.json')]: join(folder, 'deep', 'link.json'),
      }
      await start(t, file)
      for (const [path, told] of Object.entries(paths)) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await assert.rejects(start(t, path), refusedFor(told))
      }
      await start(t, join(folder, 'another.json'))
    })

  test('is kept by one of the routes of an app, too', async (t) => {
    const { file } = await kept(t)
    await assert.rejects(start(t, file, file), refusedFor(file))
  })

  test('is free again once the app is closed, with all that was changed in it', async (t) => {
    const { file } = await kept(t)
    const first = await start(t, file)
    const { url } = await listenApp(t, first)
    const answer = await ask(`${url}/0${backends}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(c),
    })
    assert.equal(answer.status, 201)
    await first.close()
    const second = await start(t, file)
    assert.deepEqual(
      second.balancer.backends.map(({ id }) => id),
      ['a', 'c'],
    )
  })

  test('is free for who repairs it: an app that did not start has nothing', async (t) => {
    const { file } = await kept(t)
    const broken = { version: 1, balancers: { default: { revision: 1, backends: [{ ...c, weight: 0 }] } } }
    for (const text of ['{', JSON.stringify(broken)]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await writeFile(file, text)
      // Never closed.
      const app = Fastify()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await app.register(balancer, { backends: [a] })
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await assert.rejects(async () => await app.register(adminRoutes, { insecure: true, persist: file }), {
        code: 'FST_BALANCER_ADMIN_BROKEN_FILE',
      })
    }
    await writeFile(file, empty)
    await start(t, file)
  })
})
