import { createError } from '@fastify/error'
import type { FastifyRequest } from 'fastify'

const NotLocalError = createError(
  'FST_BALANCER_NOT_LOCAL',
  'Open only to this machine: an admin token or a file of passwords opens it to others',
  403,
)

const localAddress = /^(127\.|::1$|::ffff:127\.)/
const localNames = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** A proxy adds these: then the client may be anywhere, though its connection comes from this machine. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/** Without any of these headers, nginx before 1.29.7 forwards with HTTP/1.0, unless it is told otherwise. */
const proxyVersion = '1.0'

/** Does this name, or address, mean the machine itself? */
export function isLocalName(hostname: string): boolean {
  return localNames.has(hostname)
}

/**
 * A hook for `onRequest`: the connection must come from this machine, not through a proxy, and ask for it by name. A page of
 * another site, whose name was made to mean 127.0.0.1 (DNS rebinding), asks for that name.
 */
export async function onlyLocal({ socket, hostname, raw }: FastifyRequest): Promise<void> {
  const isDirect = raw.httpVersion !== proxyVersion && proxyHeaders.every((name) => raw.headers[name] === undefined)
  if (!isDirect || !localAddress.test(socket.remoteAddress ?? '') || !isLocalName(hostname)) throw new NotLocalError()
}
