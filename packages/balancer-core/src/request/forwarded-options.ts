import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What the name of a field may consist of (RFC 9110 §5.6.2). */
export const fieldName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

export const ForwardedOptions = Type.Object(
  {
    xForwarded: Type.Boolean({
      default: true,
      description:
        'Send `x-forwarded-for`, `-proto` and `-host`. What a peer trusted by `trustProxy` has sent is kept and added to; what others have sent is removed, also with `false`',
    }),
    forwarded: Type.Boolean({ default: false, description: 'Send `forwarded` (RFC 7239), by the same rule' }),
    also: Type.Array(Type.String({ pattern: fieldName, expected: 'the name of a header' }), {
      default: [],
      description:
        'More headers that only a trusted peer may send, such as `true-client-ip` or `cf-connecting-ip`; from others they are removed, also if spelt `true_client_ip`',
    }),
    via: Type.Boolean({ default: false, description: 'Add `via` (RFC 9110 §7.6.3), both ways' }),
  },
  { ...strict, default: {}, description: 'Which headers say where a request comes from; `false` = none' },
)
/** Which fields say where a request comes from. */
export type ForwardedOptions = Static<typeof ForwardedOptions>
