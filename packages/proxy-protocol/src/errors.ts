import { createError } from '@fastify/error'

/** Invalid options; the message names every fault. Thrown by `proxyProtocol`. */
export const BadOptionsError = createError<[string]>(
  'FST_BALANCER_PROXY_PROTOCOL_BAD_OPTIONS',
  'Bad PROXY protocol options: %s',
  500,
)
