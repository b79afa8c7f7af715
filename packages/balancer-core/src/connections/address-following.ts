import type { Socket } from 'node:net'
import type { buildConnector, Client } from 'undici'
import type { Connect } from './connect.ts'
import type { Retiring } from './request-pool.ts'
import type { HostName } from '../names/host-name.ts'

/** How long an address has to take a connection before the next one is tried as well (ms): RFC 8305 §5. */
const attemptDelay = 250

/** Connector options with which it tries the addresses of a name one after the other. */
export function lookupOptions(host: HostName | undefined): object {
  return host === undefined
    ? {}
    : { lookup: host.lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: attemptDelay }
}

/**
 * Ties a connection to the addresses of its backend's name: it reports which could be reached, and closes when its own
 * is no longer listed: at once if idle, else after its request.
 */
export function following(host: HostName, connect: Connect, connectionOf: () => Client | Retiring): Connect {
  return (options, callback) => {
    /** This address has accepted the connection; a later error is one of TLS. */
    let taken: string | undefined
    const opened = connect(options, (...answer: Parameters<buildConnector.Callback>) => {
      const [error, socket] = answer
      callback(...answer)
      if (error === null) closeWith(host, socket, connectionOf())
      else if (taken !== undefined) host.failed(taken)
      else host.refreshSoon()
    })
    if (opened === undefined) return undefined
    opened.on('connectionAttemptFailed', (address) => host.failed(address))
    opened.on('connectionAttemptTimeout', (address) => host.failed(address))
    opened.once('connect', () => {
      taken = opened.remoteAddress
      if (taken !== undefined) host.reached(taken)
    })
    return opened
  }
}

function closeWith(host: HostName, socket: Socket, connection: Client | Retiring): void {
  const address = socket.remoteAddress
  if (address === undefined) return
  if ('retire' in connection) {
    socket.once(
      'close',
      host.follow(address, () => connection.retire()),
    )
    return
  }
  const closeWhenIdle = () => {
    if (connection.stats.size > 0) return
    connection.off('drain', closeWhenIdle)
    socket.destroy()
  }
  const forget = host.follow(address, () => {
    // After each request, before the pool may use it again.
    connection.on('drain', closeWhenIdle)
    closeWhenIdle()
  })
  socket.once('close', () => {
    forget()
    connection.off('drain', closeWhenIdle)
  })
}
