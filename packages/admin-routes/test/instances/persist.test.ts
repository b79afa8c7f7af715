import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { MemoryStore } from '@fastify-balancer/fleet'
import { startInstance, startInstances } from './stage.ts'

async function fileFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'balancer-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'lists.json')
}

const savedIn = async (file: string) => JSON.parse(await readFile(file, 'utf8')).balancers.default

test('one instance writes the file, and each answers when it is on disk', async (t) => {
  const persist = await fileFor(t)
  const { all } = await startInstances(t, 3, { admin: { persist } })
  for (const { ask, id } of all) {
    const url = `http://127.0.0.1:${id}`
    const { status } = await ask('POST', '/balancers/default/backends', { id: `n${id}`, url })
    assert.equal(status, 201)
    const { revision, backends } = await savedIn(persist)
    assert.deepEqual([revision, backends.at(-1).id], [1 + Number(id), `n${id}`])
  }
  await all[2]!.ask('PUT', '/balancers/default/backends/n1/state', { state: 'drain' })
  assert.equal((await savedIn(persist)).backends[2].state, 'drain')
  // The next one takes over.
  await all[0]!.app.close()
  const { status } = await all[2]!.ask('PATCH', '/balancers/default/backends/n2', { weight: 5 })
  assert.deepEqual([status, (await savedIn(persist)).backends[3].weight], [200, 5])
})

test('instances that start together restore the same; later ones take what these have', async (t) => {
  const persist = await fileFor(t)
  const backends = [{ id: 's', url: 'http://127.0.0.1:9', weight: 3, state: 'drain' }]
  await writeFile(persist, JSON.stringify({ version: 1, balancers: { default: { revision: 7, backends } } }))
  const store = new MemoryStore()
  const options = { balancer: { backends: ['http://127.0.0.1:8'] }, admin: { persist } }
  const start = (id: string) => startInstance(t, id, store, options)
  const both = await Promise.all([start('1'), start('2')])
  const listOf = ({ app: { balancer } }: (typeof both)[number]) => [
    balancer.set.revision,
    ...balancer.backends.map(({ id, weight, state }) => `${id} ${weight} ${state}`),
  ]
  for (const one of both) assert.deepEqual(listOf(one), [1007, 's 3 drain'])
  await both[1].ask('PATCH', '/balancers/default/backends/s', { weight: 4 })
  assert.deepEqual(listOf(await start('3')), [1008, 's 4 drain'])
})
