import { createError } from '@fastify/error'

const TooManyStreams = createError<[number]>(
  'FST_BALANCER_ADMIN_TOO_MANY_STREAMS',
  'Too many event streams are open (%d); retry later',
  503,
)

/** As many event streams are open as the option `maxStreams` allows. */
export class TooManyStreamsError extends TooManyStreams {
  readonly headers = { 'retry-after': '1' }
}

/** The app is closing, so a new stream would end at once. */
export const StreamsClosedError = createError<[]>('FST_BALANCER_ADMIN_STREAMS_CLOSED', 'The server is closing', 503)
