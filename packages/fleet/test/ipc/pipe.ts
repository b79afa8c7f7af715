import { EventEmitter } from 'node:events'
import type { WorkerChannel } from '../../src/index.ts'
import type { ParentChannel } from '../../src/ipc/ipc-store.ts'

type Callback = (error: Error | null) => void

interface Pipe {
  readonly worker: WorkerChannel
  readonly parent: ParentChannel
  /** From now on messages wait. */
  pause(): void
  /** Those that wait come now. */
  goOn(): void
  disconnect(): void
}

/** Both ends of a channel between processes, without the processes. Messages go through JSON, and come later. */
export function pipe(): Pipe {
  const [worker, parent] = [new EventEmitter(), new EventEmitter()]
  let connected = true
  let held: (() => void)[] | undefined
  const sendTo = (end: EventEmitter) => (message: object, callback?: Callback) => {
    const text = JSON.stringify(message)
    const deliver = () => {
      if (connected) end.emit('message', JSON.parse(text))
      callback?.(connected ? null : new Error('the channel is closed'))
    }
    setImmediate(() => (held === undefined ? deliver() : held.push(deliver)))
  }
  return {
    worker: Object.assign(worker, { send: sendTo(parent) }),
    parent: Object.defineProperty(Object.assign(parent, { connected, send: sendTo(worker) }), 'connected', {
      get: () => connected,
    }),
    pause() {
      held = []
    },
    goOn() {
      for (const deliver of held ?? []) deliver()
      held = undefined
    },
    disconnect() {
      connected = false
      worker.emit('disconnect')
      parent.emit('disconnect')
    },
  }
}
