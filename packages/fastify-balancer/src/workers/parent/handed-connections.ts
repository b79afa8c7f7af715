import cluster, { type Worker } from 'node:cluster'

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
 * A connection is handed to a worker, which says that it has it. Node forgets those for which a worker that dies has not said
 * so: their clients would wait for ever. They are handed to another one.
 */
export function keepConnectionsOf(worker: Worker): void {
  const { process } = worker
  const handed = new Map<number, readonly [Handing, Handle]>()
  const send = process.send.bind(process) as unknown as Send
  process.send = ((message, handle, ...others) => {
    if (message.act === 'newconn' && message.seq !== undefined && handle !== undefined)
      handed.set(message.seq, [message, handle])
    return send(message, handle, ...others)
  }) satisfies Send as unknown as typeof process.send
  process.on('internalMessage', ({ ack }: { readonly ack?: number }) => void (ack !== undefined && handed.delete(ack)))
  process.once('exit', () => {
    const other = Object.values(cluster.workers ?? {}).find((one) => one !== worker && one?.isConnected() === true)
    for (const [message, handle] of handed.values()) {
      // Its answer, whichever worker gives it, is what Node's own code waits for.
      if (other === undefined) handle.close()
      else (other.process.send as unknown as Send)(message, handle)
    }
    handed.clear()
  })
}
