import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { hostFleet } from '../../src/ipc/host-fleet.ts'
import type { Written } from './worker.ts'

/** A worker process, and what it has said. */
class Writer {
  readonly worker: Worker
  isReady = false
  hasBegun = false
  written: Written | undefined
  told: { readonly revision: number; readonly ids: readonly string[] } | undefined

  constructor(worker: Worker) {
    this.worker = worker
    worker.on('message', (message: object) => void Object.assign(this, message))
  }

  kill(): void {
    this.worker.process.kill('SIGKILL')
  }
}

/** Each writer changes the list so often. */
const rounds = Number(process.env.FLEET_WRITERS_ROUNDS ?? 3)

test('50 writers in three processes, one of them killed: revisions are linear, nothing is lost, all end alike', async () => {
  cluster.setupPrimary({ exec: join(import.meta.dirname, 'worker.ts'), args: ['3'] })
  const host = hostFleet()
  const writers = [1, 2, 3].map(() => new Writer(cluster.fork()))
  after(() => writers.map((writer) => writer.kill()))
  const [killed, ...others] = writers
  for (const writer of writers) await until('it listens', () => writer.isReady)
  for (const { worker } of others) worker.send({ command: 'write', rounds, writers: 17 })
  killed!.worker.send({ command: 'write', rounds: 1000, writers: 17 })
  await until('it has written something', () => killed!.hasBegun)
  killed!.kill()
  for (const writer of others) await until('it has written', () => writer.written !== undefined)
  await until('nothing more comes from the one that was killed', () => !killed!.worker.isConnected())
  const revisions = others.flatMap(({ written }) => written!.revisions)
  assert.equal(new Set(revisions).size, revisions.length)
  const state = (await host.store.read('balancers/default'))!.value as { revision: number; backends: { id: string }[] }
  const kept = state.backends.map(({ id }) => id)
  for (const id of others.flatMap(({ written }) => written!.ids)) assert.ok(kept.includes(id), id)
  assert.ok(Math.max(...revisions) <= state.revision)
  for (const writer of others) {
    writer.worker.send({ command: 'tell', revision: state.revision })
    await until('it tells', () => writer.told !== undefined)
    assert.deepEqual(writer.told, { revision: state.revision, ids: kept })
  }
})
