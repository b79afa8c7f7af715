import { createError } from '@fastify/error'

const TooManyWaiting = createError<[number]>(
  'FST_BALANCER_ADMIN_TOO_MANY_WAITING',
  'There are %d already who wait: ask again later',
  503,
)

/** As many wait as may. */
export class TooManyWaitingError extends TooManyWaiting {
  readonly headers = { 'retry-after': '1' }
}
