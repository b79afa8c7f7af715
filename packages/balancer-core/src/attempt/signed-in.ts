import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Attempt } from './attempt.ts'
import type { Backend } from '../backends/backend.ts'

/** Schemes by which a connection is signed in, and not each request for itself. */
const scheme = /(?:^|,)\s*(?:ntlm|negotiate)(?:[\s,]|$)/i

const homeOf = Symbol('fastify-balancer.home')
type Bound = Socket & { [homeOf]?: Backend }

/**
 * A response has come. If its connection is being signed in, or may be, it belongs to its client from now on: requests of
 * that client's connection go over it, and no others. A client over HTTP/2 has no connection of its own to a backend: that
 * one is closed instead. (Microsoft's NTLM and Negotiate; nginx's `ntlm`, HAProxy's private connections.)
 */
export function bindIfSignedIn({ headers, connection, backend }: Attempt, raw: IncomingMessage): void {
  const asked = headers['www-authenticate']
  const { authorization } = raw.headers
  if (asked === undefined && authorization === undefined) return
  if (!scheme.test(String(asked)) && !scheme.test(String(authorization))) return
  const { socket } = raw
  const isOwn = raw.httpVersionMajor === 1 && socket instanceof Socket && !socket.destroyed
  if (isOwn) (socket as Bound)[homeOf] = backend
  connection?.bindTo(isOwn ? socket : undefined)
}

/** The backend that this client's connection has signed in at; undefined for nearly all. */
export function signedInAt({ socket }: IncomingMessage): Backend | undefined {
  return (socket as Bound | null)?.[homeOf]
}
