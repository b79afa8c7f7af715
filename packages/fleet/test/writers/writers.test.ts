import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { test } from 'node:test'
import { until } from '../../../../test/support/until.ts'
import { environmentName, FleetHost } from '../../src/index.ts'

interface Message {
  readonly revisions?: readonly number[]
  readonly ids?: readonly string[]
  readonly told?: { readonly revision: number; readonly ids: readonly string[] }
}

/** How long they write (ms). */
const duration = Number(process.env.FLEET_WRITERS_DURATION ?? 2000)

test('50 writers in three processes, one of them killed: revisions are linear, nothing is lost, all end alike', async (t) => {
  const host = new FleetHost()
  const workers = [1, 2, 3].map(() => {
    const child = fork(new URL('worker.ts', import.meta.url), ['3'], {
      env: { ...process.env, [environmentName]: 'parent' },
    })
    const messages: unknown[] = []
    child.on('message', (message) => messages.push(message))
    host.serve(child)
    t.after(() => child.kill('SIGKILL'))
    return { child, messages }
  })
  const [killed, ...others] = workers
  for (const { messages } of workers) await until('it listens', () => messages.includes('ready'))
  const told = (messages: readonly unknown[], what: keyof Message) =>
    (messages as Message[]).find((message) => message[what] !== undefined)
  const send = (child: ChildProcess, command: string) => child.send({ command, duration, writers: 17 })
  for (const { child } of workers) send(child, 'write')
  setTimeout(() => killed!.child.kill('SIGKILL'), duration / 2)
  for (const { messages } of others) await until('it has written', () => told(messages, 'revisions') !== undefined)
  const written = others.map(({ messages }) => told(messages, 'revisions')!)
  const revisions = written.flatMap((one) => one.revisions!)
  assert.equal(new Set(revisions).size, revisions.length)
  const state = (await host.store.read('balancers/default'))!.value as { revision: number; backends: { id: string }[] }
  const kept = new Set(state.backends.map(({ id }) => id))
  for (const id of written.flatMap((one) => one.ids!)) assert.ok(kept.has(id), id)
  assert.ok(Math.max(...revisions) <= state.revision)
  for (const { child } of others) send(child, 'tell')
  for (const { messages } of others) {
    await until('it tells', () => told(messages, 'told') !== undefined)
    const { revision, ids } = told(messages, 'told')!.told!
    assert.equal(revision, state.revision)
    assert.deepEqual(
      ids,
      state.backends.map(({ id }) => id),
    )
  }
})
