import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

export const ForwardedOptions = Type.Object(
  {
    xForwarded: Type.Boolean({
      default: true,
      description:
        'Send `x-forwarded-for`, `-proto` and `-host`; what a peer that `trustProxy` does not trust has sent is replaced',
    }),
    forwarded: Type.Boolean({ default: false, description: 'Send `forwarded` (RFC 7239), by the same rule' }),
    via: Type.Boolean({ default: false, description: 'Add `via` (RFC 9110 §7.6.3), both ways' }),
  },
  { ...strict, default: {} },
)
/** Which fields say where a request comes from. */
export type ForwardedOptions = Static<typeof ForwardedOptions>
