import { milliseconds, readOptions, strict, type Reading } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { BadOptionsError } from './errors.ts'
import type { AdaptiveLimitOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const AdaptiveLimitOptions = Type.Object(
  {
    balancer: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of the balancer. Default: the one called `default`, or the only one',
      }),
    ),
    algorithm: Type.Union([Type.Literal('gradient2'), Type.Literal('aimd')], {
      default: 'gradient2',
      description:
        '`gradient2` lowers the limit of a backend when it takes longer to respond than without a queue of its own; `aimd` only when requests fail or time out',
    }),
    initial: Type.Integer({
      minimum: 1,
      default: 20,
      description: 'How many requests a new backend may have in flight, within its `maxInFlight`',
    }),
    min: Type.Integer({ minimum: 1, default: 3, description: 'No limit falls below this many requests' }),
    window: milliseconds(
      'How often a limit changes: at the end of each window in which at least 10 requests ended',
      1000,
      10,
    ),
    tolerance: Type.Number({
      minimum: 1,
      maximum: 100,
      default: 1.5,
      description:
        'With `gradient2`: while responses take at most this many times as long as usual, the limit does not fall',
    }),
    timeout: milliseconds('With `aimd`: an average response time above this counts as a failure', 5000, 1),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type AdaptiveLimitOptions = Options

/** With every default in place. */
export type LimitSettings = Readonly<Omit<Static<typeof AdaptiveLimitOptions>, 'balancer'>>

type ParsedOptions = Static<typeof AdaptiveLimitOptions>

/** Fills in defaults, in a copy, and checks everything. */
export function readLimitOptions(given: unknown): Reading<ParsedOptions> {
  return readOptions(AdaptiveLimitOptions, given, ({ initial, min }) =>
    initial < min ? [`initial: expected at least \`min\` (${min}), got ${initial}`] : [],
  )
}

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: AdaptiveLimitOptions = {}): ParsedOptions {
  const { options, faults } = readLimitOptions(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/**
 * Every fault of the options, one line each; for a caller that validates more than these and wants to report everything
 * at once.
 */
export function faultsOfOptions(given: AdaptiveLimitOptions): readonly string[] {
  return readLimitOptions(given).faults
}
