import { fork, type ChildProcess } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FleetHost, WorkerChannel } from '../../src/ipc/fleet-host.ts'
import { IpcStore } from '../../src/ipc/ipc-store.ts'
import { inside } from './strings.ts'

const program = join(import.meta.dirname, 'puppet.ts')

interface Puppet {
  readonly child: ChildProcess
  readonly channel: WorkerChannel & NodeJS.EventEmitter
}

function forked(): Puppet {
  const child = fork(program)
  return { child, channel: child }
}

function ofCluster(): Puppet {
  cluster.setupPrimary({ exec: program })
  const worker = cluster.fork()
  return { child: worker.process, channel: worker as WorkerChannel & NodeJS.EventEmitter }
}

/** Two worker processes: one that was forked, and one of `node:cluster`. */
export class Puppets {
  readonly #puppets: readonly Puppet[] = [forked(), ofCluster()]
  readonly #ready = Promise.all(this.#puppets.map(({ child }) => once(child, 'message')))
  #last = 0

  constructor() {
    // Each store of each test listens to them.
    for (const { child, channel } of this.#puppets) for (const one of [child, channel]) one.setMaxListeners(0)
  }

  /** A store in one of the processes, by its place, as the test reaches it. */
  async store(host: FleetHost, place: number): Promise<IpcStore> {
    await this.#ready
    const { child, channel } = this.#puppets[place % this.#puppets.length]!
    const name = String(++this.#last)
    host.serve(inside(channel, `store ${name}`))
    const opened = once(child, 'message')
    channel.send({ open: name })
    await opened
    return new IpcStore(inside(channel, `strings ${name}`))
  }

  kill(place: number): void {
    this.#puppets[place]!.child.kill('SIGKILL')
  }

  async end(): Promise<void> {
    const running = this.#puppets.filter(({ child }) => child.exitCode === null && child.signalCode === null)
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ child }) => once(child, 'exit')))
  }
}
