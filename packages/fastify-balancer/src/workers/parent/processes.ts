import { FleetHost, environmentName, successorValue } from '@fastify-balancer/fleet/host'
import cluster, { type Worker } from 'node:cluster'
import { ChannelToWorker } from '../channel/channel.ts'
import { workerEnvironment } from '../channel/environment.ts'
import { keepConnectionsOf } from './handed-connections.ts'

/** A worker process. */
export interface WorkerProcess {
  readonly pid: number | undefined
  readonly channel: ChannelToWorker
  kill(): void
}

function channelOf(worker: Worker): ChannelToWorker {
  return new ChannelToWorker({
    isConnected: () => worker.isConnected(),
    // One that has just ended cannot be told anything.
    send: (message, callback) => worker.send(message, () => callback()),
    on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => worker.on(event, listener),
  })
}

/** How a process ended, in words. */
function endOf(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}

/** Calls back once a process has ended, and everything that it has said was heard. */
function whenGone(worker: Worker, onGone: (how: string) => void): void {
  worker.once('exit', (code, signal) => {
    const how = endOf(code, signal)
    if (worker.isConnected()) worker.once('disconnect', () => onGone(how))
    else onGone(how)
  })
}

/**
 * Starts processes that run this same program. How connections get to them is decided here and nowhere else: this process
 * accepts them, and hands them to the workers in turn.
 */
export class Processes {
  readonly #fleet = new FleetHost()

  constructor() {
    cluster.schedulingPolicy = cluster.SCHED_RR
    // Workers inherit it.
    process.env[environmentName] = 'parent'
  }

  /** `isSuccessor`: it is to take the place of another one, if all goes well. */
  start(onExit: (how: string) => void, isSuccessor: boolean): WorkerProcess {
    const worker = cluster.fork({ ...workerEnvironment, ...(isSuccessor && { [environmentName]: successorValue }) })
    keepConnectionsOf(worker)
    this.#fleet.serve(worker)
    worker.on('error', () => {})
    whenGone(worker, onExit)
    return { pid: worker.process.pid, channel: channelOf(worker), kill: () => worker.process.kill('SIGKILL') }
  }
}
