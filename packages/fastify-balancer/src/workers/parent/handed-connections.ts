import type { Worker } from 'node:cluster'
import { nextTick } from 'node:process'

/** A connection, as Node's own code has it. */
interface Handle {
  close(): void
}

/** What `node:cluster` says; `key` is a listener. */
interface Handing {
  readonly cmd?: string
  readonly act?: string
  readonly seq?: number
  readonly ack?: number
  readonly key?: string
  readonly errno?: number | null
  readonly accepted?: boolean
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

/** Which workers take connections, by listeners. */
const takers = new Map<string | undefined, Set<Worker>>()

function startTaking(key: string, worker: Worker): void {
  const all = takers.get(key) ?? new Set()
  takers.set(key, all.add(worker))
}

function stopTaking(key: string | undefined, worker: Worker): void {
  const all = takers.get(key)
  if (all?.delete(worker) === true && all.size === 0) takers.delete(key)
}

/**
 * Connections that a worker does not take because it dies are handed to another one, and where nobody listens any more, they
 * are closed: Node forgets them, and their clients would wait for ever.
 */
export function keepConnectionsOf(worker: Worker): void {
  sayWhenGone(worker)
  const { process } = worker
  const handed = new Map<number, readonly [Handing, Handle]>()
  const send = process.send.bind(process) as unknown as Send
  process.send = ((message, handle, ...others) => {
    const { act, seq, ack, key, errno } = message
    if (act === 'newconn' && seq !== undefined && handle !== undefined) handed.set(seq, [message, handle])
    // The answer to one that wants to listen.
    if (ack !== undefined && key !== undefined && (errno ?? 0) === 0) startTaking(key, worker)
    return send(message, handle, ...others)
  }) satisfies Send as unknown as typeof process.send
  process.on('internalMessage', ({ act, key, ack, accepted }: Handing) => {
    if (act === 'close') return stopTaking(key, worker)
    // A worker says so of each connection that it takes, or does not since it has stopped listening.
    const [message, handle] = (ack === undefined ? undefined : handed.get(ack)) ?? []
    if (message === undefined) return
    handed.delete(ack!)
    if (accepted === false && !takers.has(message.key)) handle!.close()
  })
  // Not at its exit: some of what it has said may not have been read by then, and Node may hand it another one.
  process.once('disconnect', () => {
    for (const key of takers.keys()) stopTaking(key, worker)
    for (const [message, handle] of handed.values()) {
      const other = [...(takers.get(message.key) ?? [])].find((one) => one.isConnected())
      // Its answer, whichever worker gives it, is what Node's own code waits for.
      if (other === undefined) handle.close()
      else (other.process.send as unknown as Send)(message, handle)
    }
    handed.clear()
  })
}
