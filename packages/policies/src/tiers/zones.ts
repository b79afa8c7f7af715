import type { Backend, NamedPolicy } from '@fastify-balancer/balancer-core'
import { canBeOff, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { TieredPolicy, type Members } from './tiered-policy.ts'
import { healthShares } from './health-shares.ts'
import { healthOf, limitFaults, limitsOf } from './tiers.ts'

const settings = Type.Object(
  {
    zone: Type.String({ minLength: 1, description: 'The zone that this balancer is in: `zone` of backends nearby' }),
    minimum: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'Share of the requests that stays in the zone as long as one backend there is healthy (0–1)',
    }),
    overprovisioning: Type.Number({
      minimum: 1,
      default: 1.4,
      description: 'All requests stay in the zone until less than 1 / this of its weight is healthy',
    }),
    saturation: canBeOff(
      Type.Number({
        minimum: 0,
        maximum: 1,
        default: 1,
        description:
          'Used part of all `maxInFlight` of the zone from which on requests go to other zones (0–1); 0 or `false` = they wait in the queue',
      }),
      0,
    ),
    relief: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0.8,
      description: 'Used part down to which they go to other zones, below `saturation`',
    }),
    policy: Type.Any({ default: 'p2c', description: 'The policy within the zone, and among all others' }),
  },
  strict,
)

/**
 * Keeps requests in the zone of the balancer as far as that has room and is healthy. (Envoy's zone-aware routing compares
 * the zones of all its clients; here, health and saturation say how much a zone can take.)
 */
export const zones: NamedPolicy<typeof settings> = {
  description: 'Backends of the own `zone` first; others when too few there are healthy, or all are full',
  settings,
  faults: limitFaults,
  make(given: Static<typeof settings>, parts) {
    const { zone: own, minimum, overprovisioning } = given
    const isNear = ({ zone }: Backend) => zone === own
    function byZone(available: readonly Backend[]): readonly Members[] {
      return [
        { name: `zone ${own}`, backends: available.filter(isNear) },
        { name: 'other zones', backends: available.filter((one) => !isNear(one)) },
      ].filter(({ backends }) => backends.length > 0)
    }
    function shares(tiers: readonly Members[], all: readonly Backend[]): readonly number[] {
      if (tiers.length < 2) return [1]
      const best = Math.min(...tiers.flatMap(({ backends }) => backends.map(({ priority }) => priority)))
      const near = all.filter((one) => isNear(one) && one.priority === best)
      const [share = 0] = healthShares([healthOf(tiers[0]!, near), { healthy: 1, total: 1 }], overprovisioning)
      const local = Math.max(minimum, share)
      return [local, 1 - local]
    }
    return new TieredPolicy(
      'zones',
      byZone,
      (tiers, all) => ({ limits: limitsOf(given), shares: () => shares(tiers, all()) }),
      parts,
    )
  },
}
