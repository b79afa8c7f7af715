import { readFileSync } from 'node:fs'
import { now } from '../monotonic.ts'

/** ms between two looks. */
const period = 100

/**
 * Requests that a backend cannot count by itself, since it is dead or stopped. The system knows of them, whichever proxy
 * sent them: a number of them is read again and again.
 */
export class UnseenArrivals {
  readonly #arrivals: number[] = []
  readonly #look: () => void
  readonly #timer: NodeJS.Timeout

  /** `read` answers how many have come since it was last asked. */
  constructor(read: () => number) {
    read()
    this.#look = () => {
      for (let count = read(); count > 0; count--) this.#arrivals.push(now())
    }
    this.#timer = setInterval(this.#look, period)
  }

  /** Looks no more; answers when each came (ms, monotonic; up to 100 ms late). */
  end(): number[] {
    clearInterval(this.#timer)
    this.#look()
    return this.#arrivals
  }
}

/** How many connections were refused to anybody on this machine, since it was started (RFC 4022: `AttemptFails`). */
export function refusedConnections(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('Tcp: '))
    .map((line) => line.split(' '))
  return Number(values?.[names!.indexOf('AttemptFails')])
}

/** For a dead backend: how many connections were refused since it was last asked. */
export function refusals(): () => number {
  let before = 0
  return () => {
    const count = refusedConnections()
    const more = count - before
    before = count
    return more
  }
}

/** For a stopped backend: how many connections have got something to read for it since it was last asked. */
export function unread(port: number): () => number {
  let before = new Map<string, number>()
  return () => {
    const bytes = unreadBytes(readFileSync('/proc/net/tcp', 'latin1'), port)
    const more = requestsBetween(before, bytes)
    before = bytes
    return more
  }
}

/** The end of a connection counts as one byte to read. */
const endOfConnection = 1

/** How many requests have come from one look to the next. Nobody pipelines, so more from one peer is one more request. */
export function requestsBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  return [...after].filter(([peer, size]) => size - (before.get(peer) ?? 0) > endOfConnection).length
}

/** proc_net_tcp(5): the bytes that wait to be read from each peer of this port. */
export function unreadBytes(table: string, port: number): Map<string, number> {
  const own = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const listening = '0A'
  return new Map(
    table
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(own) === true && state !== listening)
      .map(([, , peer = '', , queues = '']) => [peer, parseInt(queues.split(':')[1] ?? '', 16)] as const),
  )
}
