import type { Worker } from 'node:cluster'

/** As `node:cluster` hands a connection to a worker. */
interface HandOver {
  readonly cmd?: unknown
  readonly act?: unknown
  readonly seq?: unknown
}

/**
 * Gives connections that were on their way to a worker when it died to another one. `node:cluster` waits for ever for the dead
 * one to take them, and so would their clients: those of a killed worker connect again before the parent knows that it is dead.
 * What the worker has taken, it has said before it read anything, so nobody has read from these.
 */
export function saveConnectionsOf(worker: Worker): void {
  const { process } = worker
  const onTheirWay = new Set<number>()
  const send = process.send.bind(process) as (message: object, ...others: unknown[]) => boolean
  process.send = (message: object, ...others: unknown[]) => {
    const { cmd, act, seq } = message as HandOver
    if (cmd === 'NODE_CLUSTER' && act === 'newconn' && typeof seq === 'number') onTheirWay.add(seq)
    return send(message, ...others)
  }
  process.on('internalMessage', ({ ack }: { readonly ack?: number }) => {
    if (ack !== undefined) onTheirWay.delete(ack)
  })
  // By now, `node:cluster` gives it nothing new.
  worker.once('disconnect', () => {
    for (const ack of onTheirWay)
      process.emit('internalMessage' as never, ...([{ cmd: 'NODE_CLUSTER', ack, accepted: false }] as never))
  })
}
