import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** What the name of a field may consist of (RFC 9110 §5.6.2). */
export const fieldName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

export const ForwardedOptions = Type.Object(
  {
    xForwarded: Type.Boolean({
      default: true,
      description:
        'Send `x-forwarded-for`, `-proto` and `-host`: appended to what a peer that `trustProxy` trusts has sent; what anybody else sends goes',
    }),
    forwarded: Type.Boolean({ default: false, description: 'Send `forwarded` (RFC 7239), by the same rule' }),
    also: Type.Array(Type.String({ pattern: fieldName }), {
      default: [],
      description:
        'More fields that only a trusted peer may send, such as `true-client-ip` or `cf-connecting-ip`, whatever stands between their words',
    }),
    via: Type.Boolean({ default: false, description: 'Add `via` (RFC 9110 §7.6.3), both ways' }),
  },
  { ...strict, default: {} },
)
/** Which fields say where a request comes from. */
export type ForwardedOptions = Static<typeof ForwardedOptions>
