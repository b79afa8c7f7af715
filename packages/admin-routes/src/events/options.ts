import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** How events are kept and told. */
export const EventsOptions = Type.Object(
  {
    keep: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description: 'Number of recent events kept for replay to a client that comes back',
    }),
    heartbeat: milliseconds('A comment is sent so often, for whoever closes silent connections', 15_000),
    reconnect: Type.Integer({
      minimum: 0,
      maximum: 2_147_483_647,
      default: 3000,
      description: 'A browser that has lost its stream comes back after so long (ms)',
    }),
    maxQueued: Type.Integer({
      minimum: 1024,
      default: 262_144,
      description:
        'No more than about this waits for a client that reads slowly (bytes); it is cut when it falls too far behind',
    }),
    maxStreams: Type.Integer({ minimum: 1, default: 100, description: 'So many clients at once' }),
  },
  strict,
)
/** With every default in place. */
export type EventsSettings = Readonly<Static<typeof EventsOptions>>
