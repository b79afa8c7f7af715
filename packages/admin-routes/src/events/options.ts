import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** How events are kept and sent. */
export const EventsOptions = Type.Object(
  {
    keep: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description: 'Number of recent events kept for replay to a reconnecting client',
    }),
    heartbeat: milliseconds(
      'Interval of keep-alive comments on the event stream, so that proxies do not close it',
      15_000,
    ),
    reconnect: Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      default: 3000,
      description: 'How long a browser waits before it reconnects to a lost stream (ms)',
    }),
    maxQueued: Type.Integer({
      minimum: 1024,
      default: 262_144,
      description:
        'How much is queued at most for a client that reads slowly (bytes, roughly); if it falls further behind than `keep` events, it is disconnected',
    }),
    maxStreams: Type.Integer({ minimum: 1, default: 100, description: 'Event streams open at once; more get 503' }),
  },
  strict,
)
/** The options with all defaults filled in. */
export type EventsSettings = Readonly<Static<typeof EventsOptions>>
