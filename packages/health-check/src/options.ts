import { canBeOff, readOptions, strict, type Reading } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { ActiveOptions } from './active/active-options.ts'
import { probeFaults } from './probe/probe-options.ts'
import { BadOptionsError } from './errors.ts'
import { OutlierOptions } from './passive/rules/outlier-options.ts'
import { PressureOptions } from './passive/pressure-options.ts'
import type { HealthCheckOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const HealthCheckOptions = Type.Object(
  {
    balancer: Type.Optional(
      Type.String({
        description:
          'Name of the balancer whose backends are checked. Default: the one called `default`, or the only one',
      }),
    ),
    ...ActiveOptions.properties,
    outliers: canBeOff(OutlierOptions, { consecutive: false, successRate: false, latency: false }),
    pressure: canBeOff(PressureOptions, { heed: false }),
  },
  strict,
)
/** What `register` takes: everything optional, nested objects in part. */
export type HealthCheckOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Static<typeof HealthCheckOptions>

/** Fills in defaults, in a copy, and checks everything. */
export function readHealthOptions(given: unknown): Reading<ParsedOptions> {
  return readOptions(HealthCheckOptions, given, probeFaults)
}

/**
 * The options with every default in place.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: HealthCheckOptions): ParsedOptions {
  const { options, faults } = readHealthOptions(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/**
 * Every fault of the options, one line each; for a caller that validates more than these and wants to report everything
 * at once.
 */
export function faultsOfOptions(given: HealthCheckOptions): readonly string[] {
  return readHealthOptions(given).faults
}
