import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Attempt } from './attempt.ts'
import type { IncomingFields } from '../headers/fields.ts'
import type { Backend } from '../backends/backend.ts'

/** Authentication schemes that apply to a connection rather than to each request. */
const scheme = /(?:^|,)\s*(?:ntlm|negotiate)(?:[\s,]|$)/i

const homeOf = Symbol('fastify-balancer.home')
type Bound = Socket & { [homeOf]?: Backend }

/** Is this a field of such a scheme: is the connection, or will it be, authenticated for its client? */
export function isSigningIn(field: IncomingFields[string]): boolean {
  return field !== undefined && scheme.test(String(field))
}

/**
 * Called for each response. If its connection is or may be authenticated for a client, only requests of that client's
 * connection use it from now on. For a client over HTTP/2 it is closed instead, since that client shares its
 * connection. (Microsoft's NTLM and Negotiate; nginx's `ntlm`, HAProxy's private connections.)
 */
export function bindIfSignedIn({ headers, connection, backend }: Attempt, raw: IncomingMessage): void {
  const asked = headers['www-authenticate']
  const { authorization } = raw.headers
  if (!isSigningIn(asked) && !isSigningIn(authorization)) return
  const { socket } = raw
  const isOwn = raw.httpVersionMajor === 1 && socket instanceof Socket && !socket.destroyed
  if (isOwn) (socket as Bound)[homeOf] = backend
  connection?.bindTo(isOwn ? socket : undefined)
}

/** The backend at which this client's connection is authenticated; undefined for nearly all. */
export function signedInAt({ socket }: IncomingMessage): Backend | undefined {
  return (socket as Bound | null)?.[homeOf]
}
