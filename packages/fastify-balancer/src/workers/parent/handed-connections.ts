import cluster, { type Worker } from 'node:cluster'
import { nextTick } from 'node:process'

/** A connection, as Node's own code has it. */
interface Handle {
  close(): void
}

/** What `node:cluster` sends with a connection. */
interface Handing {
  readonly cmd?: string
  readonly act?: string
  readonly seq?: number
}

/** Sends a message with a handle, as `node:child_process` has it. */
type Send = (message: Handing, handle?: Handle, ...others: unknown[]) => boolean

/**
 * Says that a worker's channel has ended. Node does not where the worker was killed while a connection was sent to it, and goes on
 * dealing connections of other listeners to it.
 */
function sayWhenGone({ process }: Worker): void {
  const disconnect = process.disconnect.bind(process)
  process.disconnect = () => {
    disconnect()
    // Node waits until that connection has arrived.
    const isWaiting = process.channel !== null
    if (isWaiting) nextTick(() => process.emit('disconnect'))
  }
}

/** Those that listen. One that still starts would not take a connection, and where nobody listens any more, Node would forget it. */
const listening = new WeakSet<Worker>()

/**
 * Connections that a worker does not take because it dies are handed to another one: Node forgets them, and their clients
 * would wait for ever.
 */
export function keepConnectionsOf(worker: Worker): void {
  sayWhenGone(worker)
  worker.once('listening', () => listening.add(worker))
  const { process } = worker
  const handed = new Map<number, readonly [Handing, Handle]>()
  const send = process.send.bind(process) as unknown as Send
  process.send = ((message, handle, ...others) => {
    if (message.act === 'newconn' && message.seq !== undefined && handle !== undefined)
      handed.set(message.seq, [message, handle])
    return send(message, handle, ...others)
  }) satisfies Send as unknown as typeof process.send
  // A worker says so of each connection that it takes.
  process.on('internalMessage', ({ ack }: { readonly ack?: number }) => void (ack !== undefined && handed.delete(ack)))
  // Not at its exit: some of what it has said may not have been read by then, and Node may hand it another one.
  process.once('disconnect', () => {
    const other = Object.values(cluster.workers ?? {}).find(
      (one) => one !== undefined && one !== worker && listening.has(one) && one.isConnected(),
    )
    for (const [message, handle] of handed.values()) {
      // Its answer, whichever worker gives it, is what Node's own code waits for.
      if (other === undefined) handle.close()
      else (other.process.send as unknown as Send)(message, handle)
    }
    handed.clear()
  })
}
