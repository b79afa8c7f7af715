import adminRoutes, { type AdminNotice } from '@fastify-balancer/admin-routes'
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackends } from '../support/backend.ts'

const seconds = Number(process.env['ADMIN_WRITERS_SECONDS'] ?? 2)
const writers = 50
const readers = 50

/** What of a backend the writers change. A mark is written once and never again. */
interface Entry {
  readonly id: string
  readonly url: string
  readonly mark: string
}

/** What a change makes of the list. */
type Change = (list: readonly Entry[]) => readonly Entry[]

interface Acknowledged {
  readonly revision: number
  readonly what: string
  readonly mark: string | undefined
  readonly change: Change
}

interface Attempted {
  readonly what: string
  readonly method: string
  readonly path: string
  readonly body?: object
  readonly mark?: string
  readonly change: Change
}

const listed = ({ id, url, mark }: Entry) => ({ id, url, tags: [mark] })
const entryOf = ({ id, url, tags }: { id: string; url: string; tags?: readonly string[] }): Entry => ({
  id,
  url,
  mark: tags?.[0] ?? '',
})
const textOf = (list: readonly Entry[]) => list.map(({ id, url, mark }) => `${id} ${url} ${mark}`).join('\n')

async function start(t: TestContext) {
  const behind = await startBackends(t, 'a', 'b', 'c')
  const first: readonly Entry[] = behind.map(({ url }, index) => ({ id: 'abc'[index]!, url, mark: '' }))
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  t.after(() => agent.destroy())
  const app = Fastify()
  await app.register(balancer, { backends: first.map(({ id, url }) => ({ id, url })) })
  // As a check of newcomers does, so that changes overlap.
  app.balancer.addHook('onBackendsPropose', async () => {
    await setImmediate()
    return []
  })
  await app.register(adminRoutes, { insecure: true })
  const { url } = await listenApp(t, app)
  const history: AdminNotice[] = []
  const listen = (notice: unknown) => {
    if ((notice as AdminNotice).server === app.server) history.push(notice as AdminNotice)
  }
  subscribe('admin-routes:change', listen)
  t.after(() => unsubscribe('admin-routes:change', listen))
  const admin = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await ask(`${url}/_balancer/balancers/default${path}`, {
      method,
      agent,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    assert.equal(answer.error, undefined)
    const revision = Number.parseInt(String(answer.headers.etag ?? '').slice(1))
    return { status: answer.status, revision, body: JSON.parse(answer.body) }
  }
  return { app, url, agent, first, history, admin }
}

/** What one writer does next: by turns it changes one, replaces all, adds one of its own, takes it out. */
function nextOf(writer: number, turn: number, list: readonly Entry[], first: readonly Entry[]): Attempted {
  const mark = `${writer}.${turn}`
  const one = first[(writer + turn) % first.length]!
  const own = { id: `own-${writer}`, url: one.url, mark }
  const path = '/backends'
  const what = ['update', 'replace', 'add', 'remove'][(writer + turn) % 4]!
  const marked = (given: Entry) => ({ ...given, mark })
  switch (what) {
    case 'update': {
      const change: Change = (now) => now.map((given) => (given.id === one.id ? marked(given) : given))
      return { what, method: 'PATCH', path: `${path}/${one.id}`, body: { tags: [mark] }, mark, change }
    }
    case 'replace': {
      // Turned round by one, so that the order is seen too.
      const wanted = [...list.slice(1), list[0]!].map(marked)
      return { what, method: 'PUT', path, body: { backends: wanted.map(listed) }, mark, change: () => wanted }
    }
    case 'add':
      return { what, method: 'POST', path, body: listed(own), mark, change: (now) => [...now, own] }
    default: {
      const change: Change = (now) => now.filter(({ id }) => id !== own.id)
      return { what, method: 'DELETE', path: `${path}/${own.id}`, change }
    }
  }
}

test(`${writers} writers and ${readers} readers for ${seconds} s: one line of revisions, and nothing lost`, async (t) => {
  const { app, url, agent, first, history, admin } = await start(t)
  const deadline = performance.now() + seconds * 1000
  const isOn = () => performance.now() < deadline
  const acknowledged: Acknowledged[] = []
  const stale = new Set<string>()
  const seen = new Map<number, Set<string>>()
  const figures = { read: 0, won: 0, stale: 0, refused: 0, forwarded: 0 }
  /** Whoever asks from now on must not be told of an older one. */
  let newest = 1
  const look = (revision: number, list: readonly Entry[]) => {
    newest = Math.max(newest, revision)
    seen.set(revision, (seen.get(revision) ?? new Set()).add(textOf(list)))
  }
  const read = async () => {
    const floor = newest
    const { status, revision, body } = await admin('GET', '/backends')
    assert.deepEqual([status, body.revision], [200, revision])
    assert.ok(revision >= floor, `revision ${revision} after ${floor}`)
    const list = body.backends.map(entryOf) as Entry[]
    look(revision, list)
    figures.read++
    return { revision, list }
  }
  const write = async (writer: number) => {
    for (let turn = 0; isOn(); turn++) {
      // oxlint-disable-next-line no-await-in-loop -- each builds on what it has just read
      const { revision: base, list } = await read()
      const { what, method, path, body, mark, change } = nextOf(writer, turn, list, first)
      // By times all require what they have read, and few win; else they overwrite what was done meanwhile.
      const isConditional = acknowledged.length % 200 >= 60
      const condition: Record<string, string> = isConditional ? { 'if-match': `"${base}"` } : {}
      const floor = newest
      // oxlint-disable-next-line no-await-in-loop
      const answer = await admin(method, path, body, condition)
      if (answer.status === 200 || answer.status === 201) {
        assert.ok(answer.revision > floor, `revision ${answer.revision} after ${floor}`)
        if (isConditional) {
          assert.equal(answer.revision, base + 1)
          figures.won++
        }
        newest = Math.max(newest, answer.revision)
        acknowledged.push({ revision: answer.revision, what, mark, change })
        continue
      }
      if (mark !== undefined) stale.add(mark)
      if (answer.status === 412) {
        assert.ok(isConditional)
        assert.ok(answer.body.current.revision > base)
        assert.equal(answer.body.current.revision, answer.revision)
        look(answer.revision, answer.body.current.backends.map(entryOf))
        figures.stale++
      } else {
        // Its own is there already, or no longer: another has put back, or overwritten, a list that said otherwise.
        assert.ok((what === 'add' && answer.status === 400) || (what === 'remove' && answer.status === 404))
        figures.refused++
      }
    }
  }
  const forward = async () => {
    while (isOn()) {
      // oxlint-disable-next-line no-await-in-loop
      const { status, body, whole } = await ask(url, { agent })
      assert.deepEqual([status, 'abc'.includes(body), whole], [200, true, true])
      figures.forwarded++
    }
  }
  const watch = async () => {
    // oxlint-disable-next-line no-await-in-loop
    while (isOn()) await read()
  }
  await Promise.all([
    ...Array.from({ length: writers }, (_, writer) => write(writer)),
    ...Array.from({ length: readers }, watch),
    ...Array.from({ length: 4 }, forward),
  ])

  // Each has a revision of its own, and none is missing.
  acknowledged.sort((left, right) => left.revision - right.revision)
  assert.deepEqual(
    acknowledged.map(({ revision }) => revision),
    acknowledged.map((_, index) => index + 2),
  )
  // Each is in the history once, in this order, and nothing else is.
  assert.deepEqual(
    history.map(({ revision, what }) => `${revision} ${what.split('.')[1]}`),
    acknowledged.map(({ revision, what }) => `${revision} ${what}`),
  )
  // Done again one after the other, they make every list that anybody has seen.
  const replayed = new Map<number, readonly Entry[]>([[1, first]])
  let now = first
  for (const { revision, change } of acknowledged) replayed.set(revision, (now = change(now)))
  for (const [revision, texts] of seen) assert.deepEqual([...texts], [textOf(replayed.get(revision)!)])
  assert.equal(
    textOf(app.balancer.backends.map(({ id, url: at, tags }) => entryOf({ id, url: at, tags }))),
    textOf(now),
  )
  for (const { revision, what, after } of history) {
    const list = replayed.get(revision!)!
    if (what === 'backends.replace')
      assert.equal(textOf((after as Parameters<typeof entryOf>[0][]).map(entryOf)), textOf(list))
    else if (after !== undefined)
      assert.ok(
        textOf(list)
          .split('\n')
          .includes(textOf([entryOf(after as Parameters<typeof entryOf>[0])])),
      )
  }
  // What was refused was never to be seen.
  const everywhere = new Set([...replayed.values()].flat().map(({ mark }) => mark))
  assert.deepEqual(
    [...stale].filter((mark) => everywhere.has(mark)),
    [],
  )
  const { revisions } = (await admin('GET', '')).body
  assert.deepEqual(
    revisions.map(({ revision }: { revision: number }) => revision),
    acknowledged.slice(-20).map(({ revision }) => revision),
  )
  const kinds = new Set(acknowledged.map(({ what }) => what))
  assert.deepEqual([...kinds].toSorted(), ['add', 'remove', 'replace', 'update'])
  assert.ok(figures.won > 0 && figures.stale > 0 && figures.forwarded > 0)
  t.diagnostic(`${acknowledged.length} changes, ${JSON.stringify(figures)}`)
})
