import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** A valid header name (RFC 9110 §5.6.2). */
export const fieldName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

export const ForwardedOptions = Type.Object(
  {
    xForwarded: Type.Boolean({
      default: true,
      description:
        'Send `X-Forwarded-For`, `-Proto` and `-Host`. Values from a peer trusted by `trustProxy` are kept and appended to; values from anybody else are removed, also with `false`',
    }),
    forwarded: Type.Boolean({ default: false, description: 'Send `forwarded` (RFC 7239), by the same rule' }),
    clientCert: Type.Boolean({
      default: false,
      description:
        'Send the certificate of a client that your server has verified (`requestCert`) in `Client-Cert` and `Client-Cert-Chain` (RFC 9440). Those of a peer trusted by `trustProxy` are passed on as they are, in place of its own certificate; from anybody else they are removed, also with `false`',
    }),
    also: Type.Array(Type.String({ pattern: fieldName, expected: 'the name of a header' }), {
      default: [],
      description:
        'More headers that only a trusted peer may send, such as `true-client-ip` or `cf-connecting-ip`; from others they are removed, in every spelling (`true_client_ip`)',
    }),
    via: Type.Boolean({ default: false, description: 'Add `Via` (RFC 9110 §7.6.3) to requests and responses' }),
  },
  { ...strict, default: {}, description: 'Headers that tell backends where a request comes from; `false` = none' },
)
/** The headers that tell backends about the client. */
export type ForwardedOptions = Static<typeof ForwardedOptions>
