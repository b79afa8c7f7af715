import { EventEmitter } from 'node:events'
import type { WorkerChannel } from '../../src/index.ts'
import type { ParentChannel } from '../../src/ipc/ipc-store.ts'

type Callback = (error: Error | null) => void

/** Both ends of a channel between processes, without the processes. Messages go through JSON, and come later. */
export function pipe(): { readonly worker: WorkerChannel; readonly parent: ParentChannel; disconnect(): void } {
  const [worker, parent] = [new EventEmitter(), new EventEmitter()]
  let connected = true
  const sendTo = (end: EventEmitter) => (message: object, callback?: Callback) => {
    const text = JSON.stringify(message)
    setImmediate(() => {
      if (connected) end.emit('message', JSON.parse(text))
      callback?.(connected ? null : new Error('the channel is closed'))
    })
  }
  return {
    worker: Object.assign(worker, { send: sendTo(parent) }),
    parent: Object.defineProperty(Object.assign(parent, { connected, send: sendTo(worker) }), 'connected', {
      get: () => connected,
    }),
    disconnect() {
      connected = false
      worker.emit('disconnect')
      parent.emit('disconnect')
    },
  }
}
