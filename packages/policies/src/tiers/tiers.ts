import type { Backend, NamedPolicy } from '@fastify-balancer/balancer-core'
import { canBeOff, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { SaturationLimits } from './tier.ts'
import { TieredPolicy, type Members } from './tiered-policy.ts'
import { healthShares, type TierHealth } from './health-shares.ts'

const settings = Type.Object(
  {
    overprovisioning: Type.Number({
      minimum: 1,
      default: 1.4,
      description:
        'A priority takes all requests until less than 1 / this of its weight is healthy; below, the rest goes on to the next',
    }),
    saturation: canBeOff(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 1,
        description:
          'Used part of all limits (`maxInFlight`) of a priority from which on requests go on to the next (0–1); 0 or `false` = they wait in the queue',
      }),
      0,
    ),
    relief: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.8,
      description: 'Used part down to which they go on to the next, below `saturation`',
    }),
    policy: Type.Any({ default: 'p2c', description: 'The policy within each priority, with a state of its own there' }),
  },
  strict,
)

function weightOf(backends: readonly Backend[]): number {
  return backends.reduce((sum, { weight }) => sum + weight, 0)
}

/** How much of a tier is healthy, by weight; `all` are its healthy and unhealthy members. */
export function healthOf({ backends }: Members, all: readonly Backend[]): TierHealth {
  return { healthy: weightOf(backends), total: weightOf(all) }
}

/** Undefined where saturation does not count. */
export function limitsOf({ saturation, relief }: SaturationLimits): SaturationLimits | undefined {
  return saturation === 0 ? undefined : { saturation, relief }
}

/** What a schema cannot check. */
export function limitFaults({ saturation, relief }: SaturationLimits): readonly string[] {
  if (saturation === 0 || relief <= saturation) return []
  return [`relief: expected at most \`saturation\`, ${saturation}, got ${relief}`]
}

function byPriority(available: readonly Backend[], spare: readonly Backend[]): readonly Members[] {
  const levels = Map.groupBy([...available, ...spare], ({ priority }) => priority)
  return [...levels]
    .toSorted(([one], [other]) => one - other)
    .map(([priority, backends]) => ({ name: `priority ${priority}`, backends }))
}

/**
 * Priorities with spill-over: by health, as Envoy's priority levels do, and when a priority is full. Without it, the core
 * uses the next priority only when no backend of the first is healthy.
 */
export const tiers: NamedPolicy<Static<typeof settings>> = {
  description:
    'By `priority`, the lowest first; requests spill over to the next when too few are healthy, or all are full',
  settings,
  faults: limitFaults,
  make(given, parts) {
    return new TieredPolicy(
      'tiers',
      byPriority,
      (levels, all) => ({
        limits: limitsOf(given),
        shares: () =>
          healthShares(
            levels.map((level) =>
              healthOf(
                level,
                all().filter(({ priority }) => priority === level.backends[0]!.priority),
              ),
            ),
            given.overprovisioning,
          ),
      }),
      parts,
    )
  },
}
