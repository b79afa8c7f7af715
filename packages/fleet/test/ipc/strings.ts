import type { WorkerChannel } from '../../src/index.ts'
import type { ParentChannel } from '../../src/ipc/ipc-store.ts'

type Listener = (message: unknown) => void

/** A channel of its own, by its name, inside that between two processes. */
export function inside(channel: WorkerChannel & Partial<ParentChannel>, name: string): WorkerChannel & ParentChannel {
  const heardBy = new Map<Listener, Listener>()
  const { on, off } = channel as unknown as Record<'on' | 'off', (event: string, listener: Listener) => void>
  return {
    get connected() {
      return channel.connected ?? true
    },
    send: (message: object, callback = () => {}) => channel.send({ [name]: message }, callback),
    on(event: string, listener: Listener) {
      const heard: Listener = (message) => {
        if (event !== 'message') return listener(message)
        const own = (message as Readonly<Record<string, unknown>>)[name]
        if (own !== undefined) listener(own)
      }
      heardBy.set(listener, heard)
      on.call(channel, event, heard)
    },
    off(event: string, listener: Listener) {
      off.call(channel, event, heardBy.get(listener) ?? listener)
    },
  }
}
