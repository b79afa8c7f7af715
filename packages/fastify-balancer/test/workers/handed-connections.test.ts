import assert from 'node:assert/strict'
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keepConnectionsOf } from '../../src/workers/parent/handed-connections.ts'
import { patience } from './stage.ts'

cluster.schedulingPolicy = cluster.SCHED_RR
cluster.setupPrimary({ exec: fileURLToPath(new URL('two-listeners.ts', import.meta.url)) })

function fork(t: TestContext): Worker {
  const worker = cluster.fork()
  t.after(() => worker.process.kill('SIGKILL'))
  // What is sent to one that was killed.
  worker.on('error', () => {})
  keepConnectionsOf(worker)
  return worker
}

async function startWorker(t: TestContext) {
  const worker = fork(t)
  const ports: number[] = []
  while (ports.length < 2) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const [{ port }] = (await once(worker, 'listening')) as [AddressInfo]
    ports.push(port)
  }
  return { worker, pid: worker.process.pid!, ports }
}

/** What a process is doing, as the kernel says it: `T` it is stopped, `Z` it is dead. */
function waitForState(pid: number, state: 'T' | 'Z'): void {
  while (!readFileSync(`/proc/${pid}/stat`, 'latin1').includes(`) ${state} `));
}

const firstByte = async (socket: ReturnType<typeof connect>) => String((await once(socket, 'data'))[0])

/** Resolves once the worker was sent a connection. */
function handingTo(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { process } = worker
  const send = process.send.bind(process) as (...all: unknown[]) => boolean
  process.send = (...all: unknown[]) => {
    resolve()
    return send(...all)
  }
  return promise
}

test(
  'a worker that dies with a connection on its way to it is given no other one of any listener',
  { ...patience, skip: process.platform !== 'linux' },
  async (t) => {
    const first = await startWorker(t)
    const second = await startWorker(t)
    assert.deepEqual(first.ports, second.ports)
    const [one, other] = first.ports
    process.kill(first.pid, 'SIGSTOP')
    waitForState(first.pid, 'T')
    const isHanded = handingTo(first.worker)
    const handed = connect(one!, '127.0.0.1')
    await isHanded
    process.kill(first.pid, 'SIGKILL')
    // Whatever the death has to say is there before the next connection is.
    waitForState(first.pid, 'Z')
    const next = connect(other!, '127.0.0.1')
    assert.deepEqual(await Promise.all([firstByte(next), firstByte(handed)]), [`${second.pid}`, `${second.pid}`])
  },
)

test(
  'a connection that no worker can take is closed, also while one starts',
  { ...patience, skip: process.platform !== 'linux' },
  async (t) => {
    const only = await startWorker(t)
    process.kill(only.pid, 'SIGSTOP')
    waitForState(only.pid, 'T')
    const isHanded = handingTo(only.worker)
    const handed = connect(only.ports[0]!, '127.0.0.1')
    handed.on('error', () => {})
    const isClosed = new Promise((resolve) => handed.once('close', resolve))
    await isHanded
    const starting = fork(t)
    process.kill(starting.process.pid!, 'SIGSTOP')
    process.kill(only.pid, 'SIGKILL')
    await once(only.worker, 'exit')
    process.kill(starting.process.pid!, 'SIGCONT')
    await once(starting, 'listening')
    await isClosed
  },
)

test(
  'a connection is closed that comes while the last worker stops listening',
  { ...patience, skip: process.platform !== 'linux' },
  async (t) => {
    const only = await startWorker(t)
    process.kill(only.pid, 'SIGSTOP')
    waitForState(only.pid, 'T')
    only.worker.send('stop listening')
    const isHanded = handingTo(only.worker)
    const late = connect(only.ports[0]!, '127.0.0.1')
    late.on('error', () => {})
    const isClosed = new Promise((resolve) => late.once('close', resolve))
    await isHanded
    process.kill(only.pid, 'SIGCONT')
    await isClosed
  },
)
