import { createError } from '@fastify/error'

const TooManyWaiting = createError<[number]>(
  'FST_BALANCER_ADMIN_TOO_MANY_WAITING',
  'Too many requests are already waiting (%d): retry later',
  503,
)

/** As many requests wait as allowed. */
export class TooManyWaitingError extends TooManyWaiting {
  readonly headers = { 'retry-after': '1' }
}
