import Fastify from 'fastify'
import balancer, { Balancer, type Backend, type BalancerOptions } from 'fastify-balancer'
import * as fc from 'fast-check'
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test, type TestContext } from 'node:test'
import { listenApp } from '../support/app.ts'
import { ask } from '../support/ask.ts'
import { startBackends, unusedOrigin } from '../support/backend.ts'

const list = '/balancers/default/backends'

async function start(t: TestContext, options: BalancerOptions) {
  const app = Fastify()
  await app.register(balancer, { admin: { insecure: true }, ...options })
  const { url } = await listenApp(t, app)
  const admin = async (method: string, path: string, given?: unknown) => {
    const headers = given === undefined ? {} : { 'content-type': 'application/json' }
    const body = given === undefined ? undefined : JSON.stringify(given)
    const answer = await ask(`${url}/_balancer${path}`, { method, headers, ...(body !== undefined && { body }) })
    return { status: answer.status, body: JSON.parse(answer.body) }
  }
  const ids = () => app.balancer.backends.map(({ id }) => id)
  return { app, url, admin, ids }
}

describe('a change that would leave nobody usable', () => {
  test('is refused, and names what is wrong with each newcomer; the old list stays, and answers', async (t) => {
    const [well] = await startBackends(t, 'well')
    const { app, url, admin, ids } = await start(t, { backends: [{ id: 'well', url: well!.url }] })
    const dead = {
      backends: [
        { id: 'one', url: await unusedOrigin() },
        { id: 'two', url: await unusedOrigin() },
      ],
    }
    const pools = app.balancer.backends.map(({ pool }) => pool)
    const { status, body } = await admin('PUT', list, dead)
    assert.deepEqual([status, body.code], [409, 'FST_BALANCER_NOBODY_USABLE'])
    assert.equal(body.faults.length, 2)
    assert.match(body.faults[0], /^one: first probe failed: .*ECONNREFUSED/)
    assert.match(body.faults[1], /^two: /)
    assert.match(body.message, /`force`/)
    assert.deepEqual([ids(), app.balancer.set.revision, app.balancer.set.panicking], [['well'], 1, false])
    assert.deepEqual([app.balancer.backends.map(({ pool }) => pool), pools[0]!.destroyed], [pools, false])
    assert.equal((await ask(url)).body, 'well')

    const dry = await admin('PUT', `${list}?dryRun=true`, dead)
    assert.deepEqual([dry.status, dry.body.added, dry.body.removed], [200, ['one', 'two'], ['well']])
    assert.match(dry.body.faults.join(), /^no backend would be usable: one: .*,no backend would be usable: two: /)
    assert.deepEqual((await admin('PUT', `${list}?dryRun=true&force=true`, dead)).body.faults, [])
    await assert.rejects(app.balancer.setBackends(dead.backends), {
      code: 'FST_BALANCER_NOBODY_USABLE',
      statusCode: 409,
    })

    // One who is well is enough.
    const half = await admin('PUT', list, { backends: [...dead.backends, { id: 'again', url: well!.url }] })
    assert.deepEqual([half.status, ids()], [200, ['one', 'two', 'again']])
    const removed = await admin('DELETE', `${list}/again`)
    assert.deepEqual([removed.status, removed.body.faults.length, ids().length], [409, 2, 3])
    assert.equal((await ask(url)).body, 'well')

    assert.deepEqual([(await admin('PUT', `${list}?force=true`, dead)).status, ids()], [200, ['one', 'two']])
    // Now there is nothing to lose.
    const other = { backends: [{ id: 'other', url: await unusedOrigin() }] }
    assert.deepEqual([(await admin('PUT', list, other)).status, ids()], [200, ['other']])
    assert.deepEqual([(await admin('PUT', list, { backends: [] })).status, ids()], [200, []])
    assert.deepEqual([(await admin('PUT', list, other)).status, ids()], [200, ['other']])
  })

  test('is refused however it is asked for: by an empty list, by DELETE, by a rollback, by the app itself', async (t) => {
    const [well] = await startBackends(t, 'well')
    const { app, admin, ids } = await start(t, { backends: [] })
    const add = await admin('POST', list, { id: 'well', url: well!.url })
    assert.equal(add.status, 201)
    for (const [method, path, given] of [
      ['PUT', list, { backends: [] }],
      ['DELETE', `${list}/well`],
      ['POST', '/balancers/default/rollback', { revision: 1 }],
    ] as const) {
      const { status, body } = await admin(method, path, given)
      assert.deepEqual([status, body.code, body.faults], [409, 'FST_BALANCER_NOBODY_USABLE', ['the list is empty']])
      const dry = await admin(method, `${path}?dryRun=true`, given)
      assert.deepEqual(dry.body.faults, ['no backend would be usable: the list is empty'])
      assert.deepEqual((await admin(method, `${path}?dryRun=true&force=true`, given)).body.faults, [])
    }
    const refused = { code: 'FST_BALANCER_NOBODY_USABLE' }
    await assert.rejects(app.balancer.setBackends([]), refused)
    await assert.rejects(app.balancer.remove('well'), refused)
    await assert.rejects(app.balancer.setBackends([], { dryRun: true }), refused)
    assert.equal((await app.balancer.setBackends([well!.url], { dryRun: true })).revision, 2)
    assert.deepEqual(ids(), ['well'])
    assert.equal((await admin('DELETE', `${list}/well?force=true`)).status, 200)
    assert.deepEqual(ids(), [])
  })

  test('is not what an order is: the last one may be drained, and changed while it is', async (t) => {
    const [well] = await startBackends(t, 'well')
    const { admin, app } = await start(t, { backends: [{ id: 'well', url: well!.url }] })
    assert.equal((await admin('PUT', `${list}/well/state`, { state: 'drain' })).status, 200)
    assert.equal((await admin('PATCH', `${list}/well`, { weight: 3 })).status, 200)
    assert.equal((await admin('PUT', `${list}/well/state`, { state: 'maintenance' })).status, 200)
    assert.equal((await admin('DELETE', `${list}/well`)).status, 200)
    assert.deepEqual(app.balancer.backends, [])
  })

  test('names the first of very many', async (t) => {
    const [well] = await startBackends(t, 'well')
    const { app } = await start(t, { backends: [well!.url], healthCheck: false })
    app.balancer.addHook('onBackendsPropose', (candidates) =>
      candidates.map((backend) => ({ backend, veto: { by: 'mine', reason: 'it is sick' } })),
    )
    const many = Array.from({ length: 1000 }, (_, index) => ({ id: `b${index}`, url: 'http://127.0.0.1:1' }))
    await assert.rejects(app.balancer.setBackends(many), ({ message, faults }: Error & { faults: string[] }) => {
      assert.deepEqual(
        [faults[0], faults[19], faults[20], faults.length],
        ['b0: it is sick', 'b19: it is sick', 'and 980 more', 21],
      )
      assert.ok(message.length < 2000)
      return true
    })
  })

  test('was forced, and comes back after a restart', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'usable-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const [well] = await startBackends(t, 'well')
    const options = {
      backends: [{ id: 'well', url: well!.url }],
      admin: { insecure: true, persist: join(folder, 'lists.json') },
    }
    const first = await start(t, options)
    assert.equal((await first.admin('PUT', `${list}?force=true`, { backends: [] })).status, 200)
    await first.app.close()
    assert.deepEqual((await start(t, options)).ids(), [])
  })
})

/** What may happen to a list; numbers choose among what is there. */
type Step =
  | { readonly do: 'set'; readonly ids: readonly number[]; readonly force: boolean }
  | { readonly do: 'add' | 'remove' | 'update'; readonly id: number; readonly force: boolean }
  | { readonly do: 'sicken' | 'heal' | 'drain' | 'maintain' | 'ready'; readonly id: number }

const anyId = fc.nat({ max: 5 })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('set' as const), ids: fc.uniqueArray(anyId, { maxLength: 4 }), force: fc.boolean() }),
  fc.record({
    do: fc.constantFrom('add' as const, 'remove' as const, 'update' as const),
    id: anyId,
    force: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom('sicken' as const, 'heal' as const, 'drain' as const, 'maintain' as const, 'ready' as const),
    id: anyId,
  }),
)

const opened: Balancer[] = []
after(() => Promise.all(opened.map((one) => one.close())))

test('whatever happens, the last usable backend goes only by force, or by an order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
      const balanced = new Balancer({ backends: [{ id: '0', url: 'http://b0.test' }] })
      opened.push(balanced)
      const sick = new Set<string>()
      balanced.addHook('onBackendsPropose', (candidates) =>
        candidates
          .filter(({ id }) => sick.has(id))
          .map((backend) => ({ backend, veto: { by: 'health', reason: `${backend.id} is sick` } })),
      )
      const described = (id: number | string) => ({ id: String(id), url: `http://b${id}.test` })
      const usable = (all: readonly Backend[]) => all.filter(({ available }) => available).length
      for (const step of steps) {
        const before = balanced.set
        const known = 'id' in step ? before.all.find(({ id }) => id === String(step.id)) : undefined
        if (!('force' in step)) {
          if (step.do === 'sicken') sick.add(String(step.id))
          if (step.do === 'heal') sick.delete(String(step.id))
          if (known === undefined) continue
          if (step.do === 'sicken') balanced.veto(known, { by: 'health', reason: 'it is sick' })
          else if (step.do === 'heal') known.vetoes.filter(({ by }) => by === 'health').forEach((veto) => veto.lift())
          else if (step.do === 'drain') await balanced.drain(known.id)
          else if (step.do === 'maintain') await balanced.maintain(known.id)
          else balanced.ready(known.id)
          continue
        }
        const { force } = step
        const ids = before.all.map(({ id }) => id)
        if (step.do !== 'set' && (step.do === 'add') === (known !== undefined)) continue
        const wanted =
          step.do === 'set'
            ? step.ids.map(String)
            : step.do === 'add'
              ? [...ids, String(step.id)]
              : ids.filter((id) => step.do === 'update' || id !== String(step.id))
        const kept = new Map(before.all.map((backend) => [backend.id, backend.available]))
        const left = wanted.filter((id) => kept.get(id) ?? !sick.has(id)).length
        const isRefused = !force && usable(before.all) > 0 && left === 0
        const says = (change: Promise<unknown>) =>
          change.then(
            () => false,
            ({ code }) => code as string,
          )
        const expected = isRefused ? 'FST_BALANCER_NOBODY_USABLE' : false
        assert.equal(await says(balanced.setBackends(wanted.map(described), { force, dryRun: true })), expected)
        assert.equal(balanced.set.revision, before.revision)
        const change =
          step.do === 'set'
            ? balanced.setBackends(wanted.map(described), { force })
            : step.do === 'add'
              ? balanced.add(described(step.id), { force })
              : step.do === 'remove'
                ? balanced.remove(String(step.id), { force })
                : balanced.update(String(step.id), { weight: 2 }, { force })
        assert.equal(await says(change), expected)
        if (isRefused) {
          assert.equal(balanced.set, before)
          assert.ok(before.all.every(({ pool }) => !pool.destroyed))
        } else {
          assert.deepEqual(
            balanced.backends.map(({ id }) => id),
            wanted,
          )
          assert.equal(usable(balanced.backends), left)
        }
      }
    }),
    { seed: 20_260_101, numRuns: 200 },
  )
})
