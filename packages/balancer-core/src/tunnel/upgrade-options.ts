import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

export const UpgradeOptions = Type.Object(
  {
    protocols: Type.Array(
      Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z/-]+$", expected: 'the name of a protocol' }),
      {
        default: ['websocket'],
        description:
          'Protocols that clients may switch to, as `Upgrade` names them; requests for others are answered as ordinary HTTP (RFC 9110 §7.8). With none, those for WebSocket get 426',
      },
    ),
    idle: milliseconds('No byte in either direction; then the tunnel is closed', 600_000),
    linger: milliseconds('The same, once one side has ended', 30_000),
    maxAge: milliseconds('How long a tunnel may live, e.g. as long as a login is valid', 0),
    maxPerBackend: Type.Integer({
      minimum: 0,
      default: 0,
      description: 'How many tunnels to each backend there may be (0 = no limit); more get 503',
    }),
    weight: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Load of a tunnel for policies that compare load, where a request in flight has 1 (0–1)',
    }),
  },
  { ...strict, default: {}, description: 'WebSocket and other protocols that a connection switches to' },
)
/** WebSocket and other protocols that a connection switches to. */
export type UpgradeOptions = Static<typeof UpgradeOptions>
