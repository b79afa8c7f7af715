import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backend } from '../../src/backends/backend.ts'
import type { AgreedList, ListAgreement } from '../../src/backends/list/list-agreement.ts'
import type { Verdict } from '../../src/backends/list/proposal.ts'
import { Balancer } from '../../src/balancer.ts'

const [a, b] = ['http://127.0.0.1:1', 'http://127.0.0.1:2'] as const

/** Others that were faster so often, each time with the next of these lists. */
class Others implements ListAgreement {
  readonly cause = 'others'
  readonly settledAt: number[] = []
  readonly #faster: AgreedList['backends'][]
  #revision = 1

  constructor(...faster: AgreedList['backends'][]) {
    this.#faster = faster
  }

  async join(): Promise<undefined> {}

  async propose(): Promise<{ readonly revision: number } | AgreedList> {
    const revision = ++this.#revision
    const backends = this.#faster.shift()
    return backends === undefined ? { revision } : { revision, backends }
  }

  async settled(revision: number): Promise<void> {
    this.settledAt.push(revision)
  }
}

/** A balancer with `a`, and which backends were judged, each time. */
async function joined(t: { after(work: () => unknown): void }, others: ListAgreement) {
  const balancer = new Balancer({ backends: [a] })
  t.after(() => balancer.close())
  const judged: string[][] = []
  const newcomers: Backend[] = []
  balancer.addHook('onBackendsPropose', async (candidates): Promise<Verdict[]> => {
    judged.push(candidates.map(({ id }) => id))
    newcomers.push(...candidates)
    return candidates.map((backend) => ({ backend, veto: { by: 'judge', reason: `look ${judged.length}` } }))
  })
  await balancer.agreeBy(others)
  return { balancer, judged, newcomers }
}

test('one that others outrun does not judge its newcomers again', async (t) => {
  const others = new Others([{ url: a, weight: 2 }], [{ url: a, weight: 3 }])
  const { balancer, judged } = await joined(t, others)
  const { revision, all } = await balancer.add({ url: b, weight: 5 })
  assert.equal(revision, 4)
  assert.deepEqual(
    all.map(({ id, weight }) => [id, weight]),
    [
      [a, 3],
      [b, 5],
    ],
  )
  assert.deepEqual(judged, [[b]])
  assert.equal(balancer.backend(b).vetoes[0]!.reason, 'look 1')
  assert.deepEqual(others.settledAt, [4])
})

test('one that others have added meanwhile is theirs, and the one that was opened for it is closed', async (t) => {
  const { balancer, judged, newcomers } = await joined(t, new Others([{ url: a }, { url: b, weight: 7 }]))
  await balancer.setBackends([a, { url: b, weight: 2 }])
  assert.deepEqual(judged, [[b], [b]])
  const [ours, theirs] = newcomers
  assert.equal(balancer.backend(b), theirs)
  assert.equal(balancer.backend(b).weight, 2)
  assert.deepEqual([ours!.pool.destroyed, theirs!.pool.destroyed], [true, false])
})

test('one that others outrun and that is refused then leaves nothing open', async (t) => {
  const { balancer, newcomers } = await joined(t, new Others([{ url: a, weight: 2 }]))
  await assert.rejects(balancer.add(b, { revision: 1 }), { code: 'FST_BALANCER_STALE_REVISION' })
  assert.equal(newcomers.length, 1)
  assert.equal(newcomers[0]!.pool.destroyed, true)
  assert.equal(balancer.set.revision, 2)
})

test('the name of a newcomer that is proposed again is looked up like those of others', async (t) => {
  const { balancer, newcomers } = await joined(t, new Others([{ url: a, weight: 2 }]))
  const { all } = await balancer.add('http://newcomer.test:1')
  assert.equal(all[1], newcomers[0])
  const other = await balancer.add({ id: 'other', url: 'http://newcomer.test:1' })
  assert.equal(other.all[2]!.host, newcomers[0]!.host)
})
