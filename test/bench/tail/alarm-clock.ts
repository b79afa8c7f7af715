import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** What both threads see. */
export interface Alarm {
  /** When to ring, ms, monotonic. */
  readonly time: Float64Array<SharedArrayBuffer>
  /** How often that was set. */
  readonly changes: Int32Array<SharedArrayBuffer>
}

/** Rings to a tenth of a millisecond: a thread of its own waits, since timers of Node know whole ones only. */
export class AlarmClock {
  readonly #worker: Worker
  readonly #alarm: Alarm

  private constructor(worker: Worker, alarm: Alarm) {
    this.#worker = worker
    this.#alarm = alarm
  }

  /** Resolves when its thread runs. It keeps the process alive until it is stopped. */
  static async start(ring: () => void): Promise<AlarmClock> {
    const alarm: Alarm = {
      time: new Float64Array(new SharedArrayBuffer(8)),
      changes: new Int32Array(new SharedArrayBuffer(4)),
    }
    const worker = new Worker(new URL('./alarm-thread.ts', import.meta.url), { workerData: alarm })
    await once(worker, 'message')
    worker.on('message', ring)
    return new AlarmClock(worker, alarm)
  }

  /** Rings once, at this time (ms, monotonic), or at once if it has passed. What was set before counts no more. */
  set(time: number): void {
    const { time: shared, changes } = this.#alarm
    shared[0] = time
    Atomics.add(changes, 0, 1)
    Atomics.notify(changes, 0)
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
