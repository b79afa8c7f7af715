import { createError } from '@fastify/error'

const TooManyStreams = createError<[number]>(
  'FST_BALANCER_ADMIN_TOO_MANY_STREAMS',
  'There are %d event streams already',
  503,
)

/** There are as many event streams as the option `maxStreams` allows. */
export class TooManyStreamsError extends TooManyStreams {
  readonly headers = { 'retry-after': '1' }
}

/** The app is closing, so that a stream would end at once. */
export const StreamsClosedError = createError<[]>('FST_BALANCER_ADMIN_STREAMS_CLOSED', 'No event streams any more', 503)
