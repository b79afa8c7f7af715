import { createError } from '@fastify/error'
import type { FastifyRequest } from 'fastify'

const NotLocalError = createError('FST_BALANCER_NOT_LOCAL', 'Only for those who are on this machine', 403)

const localAddress = /^(127\.|::1$|::ffff:127\.)/
const localNames = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** Does this name, or address, mean the machine itself? */
export function isLocalName(hostname: string): boolean {
  return localNames.has(hostname)
}

/**
 * A hook for `onRequest`: whoever asks must be on this machine, and have asked for it by name. A page of somebody else's,
 * whose name was made to mean 127.0.0.1 (DNS rebinding), asks for that name.
 */
export async function onlyLocal({ socket, hostname }: FastifyRequest): Promise<void> {
  if (!localAddress.test(socket.remoteAddress ?? '') || !isLocalName(hostname)) throw new NotLocalError()
}
