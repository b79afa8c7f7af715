import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { startChild } from '../../../../test/support/child.ts'
import { until } from '../../../../test/support/until.ts'
import { FleetHost, type Instance, type WorkerChannel } from '../../src/index.ts'
import { IpcStore } from '../../src/ipc/ipc-store.ts'
import { storeContract, type Open } from '../store/contract.ts'
import { pipe } from './pipe.ts'
import { inside } from './strings.ts'

const program = new URL('puppet.ts', import.meta.url)

/** Worker processes, each started when it is needed first; all end with the tests of this file. */
class Puppets {
  readonly #start: () => { readonly child: ChildProcess; readonly channel: WorkerChannel }
  readonly #ready: Promise<{ readonly child: ChildProcess; readonly channel: WorkerChannel }>[] = []
  #last = 0

  constructor(start: () => { readonly child: ChildProcess; readonly channel: WorkerChannel }) {
    this.#start = start
    after(async () => {
      for (const { child } of await Promise.all(this.#ready)) child.kill('SIGKILL')
    })
  }

  /** The store of one of the processes, by its place, as the test reaches it. */
  async store(host: FleetHost, place: number): Promise<IpcStore> {
    const { child, channel } = await (this.#ready[place] ??= this.#begin())
    const name = String(++this.#last)
    host.serve(inside(channel, `store ${name}`))
    const opened = once(child, 'message')
    channel.send({ open: name })
    await opened
    return new IpcStore(inside(channel, `strings ${name}`))
  }

  async #begin() {
    const started = this.#start()
    started.child.setMaxListeners(0)
    ;(started.channel as unknown as ChildProcess).setMaxListeners(0)
    await once(started.child, 'message')
    return started
  }
}

const forked = () => {
  const child = fork(program)
  return { child, channel: child as WorkerChannel }
}

function openIn(puppets: Puppets): Open {
  return async () => {
    const host = new FleetHost()
    let place = 0
    return () => puppets.store(host, place++)
  }
}

storeContract('from processes that were forked', openIn(new Puppets(forked)))

storeContract(
  'from workers of node:cluster',
  openIn(
    new Puppets(() => {
      cluster.setupPrimary({ exec: program.pathname })
      const worker = cluster.fork()
      return { child: worker.process, channel: worker as unknown as WorkerChannel }
    }),
  ),
)

test('a worker that is killed takes its announcement with it at once, and the others go on', async (t) => {
  const host = new FleetHost()
  const { child } = await startChild(t, program)
  host.serve(inside(child, 'store 1'))
  child.send({ open: '1' })
  await once(child, 'message')
  const one = new IpcStore(inside(child, 'strings 1'))
  let seen: readonly Instance[] = []
  host.store.watchInstances((all) => (seen = all))
  await one.announce({ id: 'one', since: 1, state: 'ready', about: {} }, 600_000)
  await until('it is known', () => seen.length === 1)
  child.kill('SIGKILL')
  await until('it is forgotten', () => seen.length === 0)
})

test('once the parent is gone, calls that wait and later ones fail', async () => {
  const { worker, parent, disconnect } = pipe()
  new FleetHost().serve(worker)
  const store = new IpcStore(parent)
  const waiting = store.read('a')
  disconnect()
  await assert.rejects(waiting, /parent process is gone/)
  await assert.rejects(store.read('a'), /parent process is gone/)
  store.publish('t', 'nobody hears it')
})

test('several stores of one process have one channel', async () => {
  const { worker, parent } = pipe()
  new FleetHost().serve(worker)
  const [one, other] = [new IpcStore(parent), new IpcStore(parent)]
  const seen: unknown[] = []
  one.watch('a', ({ value }) => seen.push(['one', value]))
  other.watch('b', ({ value }) => seen.push(['other', value]))
  await Promise.all([one.compareAndSet('a', 0, 1), other.compareAndSet('b', 0, 2)])
  await until('both have seen it', () => seen.length === 2)
  assert.deepEqual(seen, [
    ['one', 1],
    ['other', 2],
  ])
  one.close()
  assert.equal((await other.read('a'))?.value, 1)
})

test('a worker that stands still gets what is newest by then, and not all there was', async () => {
  let finish: (() => void) | undefined
  const sent: { readonly value: { readonly version: number } }[] = []
  const listeners: ((message: unknown) => void)[] = []
  const host = new FleetHost()
  host.serve({
    send(message, callback) {
      const { kind, ...delivery } = Object.values(message)[0] as { kind: string; value: { version: number } }
      if (kind === 'event') sent.push(delivery)
      finish = () => callback?.(null)
    },
    on: (_event: string, listener: (message: unknown) => void) => listeners.push(listener),
  })
  listeners[0]!({ fastifyBalancerFleet: { kind: 'watch', number: 1, name: 'a' } })
  for (let version = 0; version < 50; version++)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await host.store.compareAndSet('a', version, version)
  assert.deepEqual(
    sent.map(({ value }) => value.version),
    [1],
  )
  finish!()
  assert.deepEqual(
    sent.map(({ value }) => value.version),
    [1, 50],
  )
})
