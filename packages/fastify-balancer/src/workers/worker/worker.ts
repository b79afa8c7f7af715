// Room `workers/worker`: a process that a parent has started: it serves, and does what the parent says.
import cluster from 'node:cluster'
import process from 'node:process'
import { ChannelToParent } from '../channel/channel.ts'
import type { BalancersStatus } from '../../server/balancers-status.ts'
import type { Beginning } from '../channel/messages.ts'

/** What a worker runs. */
export interface Served {
  readonly status: BalancersStatus
  /**
   * Lets everything that is under way finish; `hasSuccessors`: other workers take what is new. `othersStop` resolves once the
   * other workers that are ending have stopped listening, too.
   */
  close(hasSuccessors: boolean, othersStop: () => Promise<unknown>): Promise<unknown>
  /** Puts its configuration in force: those before it go. */
  takeOver(): Promise<void>
}

/** This process, as a worker of its parent. */
export class WorkerOfParent {
  readonly parent: ChannelToParent
  /** What it is to begin with. */
  readonly beginning: Promise<Beginning>
  #served: Served | undefined
  #isEnding = false
  #hasSuccessors = false

  /** It obeys from now on. */
  constructor() {
    this.parent = new ChannelToParent({
      isConnected: () => process.connected,
      send: (message, callback) => process.send!(message, undefined, {}, () => callback()),
      on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => process.on(event, listener),
    })
    this.beginning = new Promise((resolve) => this.parent.hear('begin', resolve))
    this.parent.hear('drain', ({ hasSuccessors }) => void this.end(hasSuccessors))
    this.parent.answer('takeOver', async () => {
      await this.#served?.takeOver()
      return null
    })
    this.parent.hear('ping', (number) => {
      const { status = { backends: 0, available: 0, exchanges: 0 } } = this.#served ?? {}
      void this.parent.tell('pong', { number, status })
    })
    // Without this, Node would end the process at once when the parent has gone.
    cluster.worker!.on('disconnect', () => {
      cluster.worker!.exitedAfterDisconnect = true
      void this.end(false)
    })
    // These go to all processes of a terminal; the parent says what is to be done.
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {})
    process.on('SIGTERM', () => void this.end(true))
  }

  /** This is what it runs; not even that once it is to end. */
  serve(served: Served): void {
    this.#served = served
    if (this.#isEnding) void this.#close()
  }

  /** Finishes what it has, and ends the process. */
  async end(hasSuccessors: boolean): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#hasSuccessors = hasSuccessors
    await this.#close()
  }

  async #close(): Promise<void> {
    // Without a parent, nobody else listens at its places.
    const othersStop = async () =>
      this.#hasSuccessors ? undefined : this.parent.ask('stoppedListening', null).catch(() => undefined)
    await this.#served?.close(this.#hasSuccessors, othersStop)
    process.exit(0)
  }
}
