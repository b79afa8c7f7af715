import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, rename, rmdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createServer } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import adminRoutes, { type AdminRoutesOptions } from '../../src/index.ts'
import { readPlain } from '../../src/persistence/plain-file.ts'
import { FaultView } from '../../src/schemas/views.ts'
import { backends, c, kept } from './persist-stage.ts'
import { a, assertIs, b } from '../stage.ts'

/** It does not start. */
async function refusal(file: string, more: AdminRoutesOptions = {}): Promise<Error & { code: string }> {
  const app = Fastify()
  try {
    await app.register(balancer, { backends: [a, b] })
    await app.register(adminRoutes, { insecure: true, persist: file, ...more })
    await app.ready()
  } catch (error) {
    return error as Error & { code: string }
  } finally {
    await app.close()
  }
  return assert.fail('it has started')
}

describe('what is no plain file', () => {
  const asFifo = (path: string) => void execFileSync('sh', ['-c', 'mkfifo "$0"', path])
  const asSocket = async (path: string, t: TestContext) => {
    const server = createServer().listen(path)
    await once(server, 'listening')
    t.after(() => server.close())
  }
  for (const [what, make] of [
    ['a FIFO', asFifo],
    ['a socket', asSocket],
    ['a folder', mkdir],
    ['a device', async (path: string) => symlink('/dev/zero', path)],
    [
      'a FIFO',
      async (path: string) => {
        asFifo(`${path}.real`)
        await symlink(`${path}.real`, path)
      },
    ],
  ] as const)
    test(
      `${what} (${make.name}) is refused at once, and stays as it is`,
      { skip: process.platform === 'win32' },
      async (t) => {
        const { file } = await kept(t)
        await make(file, t)
        const before = await stat(file)
        const { code, message } = await refusal(file)
        assert.equal(code, 'FST_BALANCER_ADMIN_BROKEN_FILE')
        assert.match(message, new RegExp(`: it is ${what}; it must be a plain file`))
        const after = await stat(file)
        assert.deepEqual([after.ino, after.mode], [before.ino, before.mode])
      },
    )

  test(
    'does not hold up the reading of one that has taken its place',
    { skip: process.platform === 'win32' },
    async (t) => {
      const { file } = await kept(t)
      asFifo(file)
      await assert.rejects(readPlain(file), { code: 'EFTYPE' })
    },
  )
})

test('a broken file is not quoted: there may be a password in it', async (t) => {
  const { file } = await kept(t)
  await writeFile(file, '{"url":"http://user:secret@h",]')
  const { message } = await refusal(file)
  assert.match(message, /not JSON/)
  assert.doesNotMatch(message, /secret/)
})

describe('a broken file', () => {
  const list = (...items: unknown[]) => ({ version: 1, balancers: { default: { revision: 2, backends: items } } })
  for (const [what, text, fault] of [
    ['nothing', '', /not JSON/],
    ['half of it', JSON.stringify(list(a)).slice(0, 40), /not JSON/],
    ['another encoding', Buffer.from(JSON.stringify(list({ ...a, zone: 'à' })), 'latin1'), /not JSON/],
    ['no object', 'null', /expected an object, got null$/],
    ['another version', JSON.stringify({ version: 2 }), /: version: 2 is not supported, only 1$/],
    ['no version', JSON.stringify({ balancers: {} }), /version: expected 1, got nothing/],
    ['unknown keys', JSON.stringify({ ...list(a), x: 1 }), /: x: unknown option \(there are: [^)]*\)$/],
    [
      'no list',
      JSON.stringify({ version: 1, balancers: { default: { revision: 0 } } }),
      /revision.*backends|backends.*revision/,
    ],
    ['an unknown state', JSON.stringify(list({ ...a, state: 'off' })), /balancers\.default\.backends\.0\.state: /],
    [
      'backends that the balancer refuses',
      JSON.stringify(list(a, { ...a, weight: 0 }, a, 'nonsense')),
      /balancers\.default\.backends\.3: expected .*$/,
    ],
    [
      'more such backends',
      JSON.stringify(list(a, { ...b, weight: 0, x: 1 }, a)),
      /: balancers\.default\.backends\.1\.x: unknown option [^;]*; balancers\.default\.backends\.1\.weight: .*; balancers\.default\.backends\.2\.id: 'a' is already/,
    ],
    [
      'more than one kind of fault',
      JSON.stringify(list({ ...a, state: 'off' }, { ...b, weight: 0 })),
      /backends\.0\.state: .*; balancers\.default\.backends\.1\.weight: /,
    ],
  ] as const)
    test(`with ${what} is refused, and not touched`, async (t) => {
      const { file, folder } = await kept(t)
      await writeFile(file, text)
      const before = await stat(file)
      const error = await refusal(file)
      assert.equal(error.code, 'FST_BALANCER_ADMIN_BROKEN_FILE')
      assert.ok(error.message.includes(`'${file}'`))
      assert.match(error.message, fault)
      assert.deepEqual(await readFile(file), Buffer.from(text))
      const { mtimeMs, ino } = await stat(file)
      assert.deepEqual([mtimeMs, ino, await readdir(folder)], [before.mtimeMs, before.ino, ['lists.json']])
    })

  test('with backends that may not be added is refused, unless they are configured', async (t) => {
    const { file } = await kept(t)
    await writeFile(file, JSON.stringify(list(a, c)))
    const { code, message } = await refusal(file, { allow: ['10.0.0.0/8'] })
    assert.equal(code, 'FST_BALANCER_ADMIN_BROKEN_FILE')
    assert.match(message, /: balancers\.default\.backends\.1\.url: 'http:\/\/127\.0\.0\.1:3' is not allowed/)
    assert.doesNotMatch(message, /backends\.0/)
  })

  test('of which one list is broken leaves all balancers as they are', async (t) => {
    const { file } = await kept(t)
    const both = { default: { revision: 2, backends: [c] }, other: { revision: 2, backends: [{ url: 'x' }] } }
    await writeFile(file, JSON.stringify({ version: 1, balancers: both }))
    const app = Fastify()
    t.after(() => app.close())
    await app.register(balancer, { backends: [a] })
    await app.register(balancer, { name: 'other', prefix: '/other', backends: [b] })
    await assert.rejects(async () => await app.register(adminRoutes, { insecure: true, persist: file }), {
      code: 'FST_BALANCER_ADMIN_BROKEN_FILE',
    })
    assert.deepEqual(
      [...app.balancers.values()].map(({ backends: [one] }) => one!.id),
      ['a', 'b'],
    )
  })

  test('a folder in its place, or none around it, is said at boot', async (t) => {
    const { folder } = await kept(t)
    assert.equal((await refusal(folder)).code, 'FST_BALANCER_ADMIN_BROKEN_FILE')
    const { code, message } = await refusal(join(folder, 'nowhere', 'lists.json'))
    assert.equal(code, 'FST_BALANCER_ADMIN_BAD_OPTIONS')
    assert.match(message, /persist: the folder of '.*nowhere\/lists\.json' is not writable: ENOENT/)
    await symlink('nowhere/lists.json', join(folder, 'link'))
    assert.equal((await refusal(join(folder, 'link'))).code, 'FST_BALANCER_ADMIN_BAD_OPTIONS')
  })
})

describe('what cannot be saved', () => {
  test('is in force, and said; the next change saves it too', async (t) => {
    const { begin, file, folder, saved } = await kept(t)
    const { ask: order, app, told, list, log } = await begin()
    // In the way of what is written before it is renamed.
    await mkdir(`${file}.tmp`)
    const { status, body, headers } = await order('POST', backends, c)
    assert.deepEqual([status, body.code, headers.etag], [507, 'FST_BALANCER_ADMIN_UNSAVED', '"2"'])
    assertIs(FaultView, body)
    assert.match(body.message, /^The change is in force but could not be saved \(\w+\)/)
    assert.doesNotMatch(JSON.stringify(body), /persist-/)
    assert.deepEqual([list(), told.length], [['a 1', 'b 2', 'c 1'], 1])
    assert.equal(log.all.filter(({ msg }) => msg === 'the lists could not be saved').length, 1)
    // What has nothing to save is as it always was.
    assert.equal((await order('GET', backends)).status, 200)
    assert.equal((await order('POST', `${backends}/x/probe`)).status, 404)

    await rmdir(`${file}.tmp`)
    assert.equal((await order('PATCH', `${backends}/a`, { weight: 7 })).status, 200)
    assert.equal((await saved()).balancers.default.backends.length, 3)
    assert.deepEqual(await readdir(folder), ['lists.json'])
    assert.equal(app.balancer.set.revision, 3)
  })

  test('a state that is ordered again is saved then', async (t) => {
    const { begin, file, saved } = await kept(t)
    const { ask: order } = await begin()
    await mkdir(`${file}.tmp`)
    const drain = () => order('PUT', `${backends}/a/state`, { state: 'drain' })
    assert.deepEqual([(await drain()).status, (await drain()).status], [507, 507])
    await rmdir(`${file}.tmp`)
    assert.equal((await drain()).status, 200)
    assert.equal((await saved()).balancers.default.backends[0].state, 'drain')
  })

  test('is saved when the app closes, if it can be by then', async (t) => {
    const { begin, file, saved } = await kept(t)
    const { ask: order, app } = await begin()
    await mkdir(`${file}.tmp`)
    assert.equal((await order('POST', backends, c)).status, 507)
    await rmdir(`${file}.tmp`)
    await app.close()
    assert.equal((await saved()).balancers.default.backends.length, 3)
  })

  test('where the folder is gone, or may only be read', async (t) => {
    const { begin, folder, saved } = await kept(t)
    const { ask: order } = await begin()
    await rename(folder, `${folder}-away`)
    const gone = await order('POST', backends, c)
    await rename(`${folder}-away`, folder)
    assert.deepEqual([gone.status, gone.body.message.includes('(ENOENT)')], [507, true])
    await order('DELETE', `${backends}/c`)
    const before = await saved()
    await chmod(folder, 0o555)
    // Root may write everywhere.
    const isRoot = process.geteuid!() === 0
    if (isRoot) process.seteuid!(65_534)
    let readOnly
    try {
      readOnly = await order('PATCH', `${backends}/a`, { weight: 7 })
    } finally {
      if (isRoot) process.seteuid!(0)
      await chmod(folder, 0o755)
    }
    assert.deepEqual([readOnly.status, readOnly.body.message.includes('(EACCES)')], [507, true])
    assert.deepEqual(await saved(), before)
  })
})
