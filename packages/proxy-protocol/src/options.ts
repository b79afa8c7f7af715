import { milliseconds, quoted, readOptions, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { BadOptionsError } from './errors.ts'
import type { ProxyProtocolOptions as Options } from './options.generated.ts'
import { isPeer } from './peers.ts'

/** What `proxyProtocol` takes. The only source of the type, the validation, the defaults and the README's table. */
export const ProxyProtocolOptions = Type.Object(
  {
    from: Type.Array(Type.String(), {
      minItems: 1,
      description:
        'The proxies in front: addresses and networks such as `10.0.0.0/8`, or `unix` for those that connect over a Unix socket. Each of their connections must begin with a header; other connections must not',
    }),
    // The specification demands at least 3 s, for a lost packet.
    timeout: milliseconds('How long a proxy may take to send the header', 5000, 3000),
  },
  strict,
)
/** What `proxyProtocol` takes. */
export type ProxyProtocolOptions = Options

/** The options with all defaults filled in. */
export type ParsedOptions = Static<typeof ProxyProtocolOptions>

const read = (given: ProxyProtocolOptions) =>
  readOptions(ProxyProtocolOptions, given, ({ from }) =>
    from.flatMap((text, index) =>
      isPeer(text) ? [] : [`from.${index}: ${quoted(text)} is not an address, a network such as 10.0.0.0/8, or unix`],
    ),
  )

/**
 * Fills in defaults, in a copy, and validates all options.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: ProxyProtocolOptions): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/** Every fault of the options, one line each. For a caller that reports them together with others. */
export function faultsOfOptions(given: ProxyProtocolOptions): readonly string[] {
  return read(given).faults
}
