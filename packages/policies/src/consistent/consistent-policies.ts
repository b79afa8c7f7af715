import type { Balancer, NamedPolicy, Policy } from '@fastify-balancer/balancer-core'
import { canBeOff, strict } from '@fastify-balancer/option-schema'
import { Type } from '@sinclair/typebox'
import { InFlight } from './in-flight.ts'
import { key, keyFaults } from './key-option.ts'
import { KeyReader } from './key-reader.ts'
import { KeyedPicker, type KeyedParts } from './keyed-picker.ts'
import { Layouts } from './laid-out.ts'
import type { LayoutMaker } from './layout.ts'
import { maglev } from './maglev.ts'
import { rendezvous } from './rendezvous.ts'
import { ring } from './ring.ts'

const settings = Type.Object(
  {
    key,
    balance: canBeOff(
      Type.Number({
        minimum: 0,
        default: 1.25,
        description:
          "Bounded load: a backend with this many times its share of all requests in flight is passed over for the key's next one (0 = off)",
      }),
      0,
    ),
    policy: Type.Optional(Type.Any({ default: 'p2c', description: 'The policy for requests without a key' })),
  },
  strict,
)

/** The policy of this name; `make` lays out the keys. */
function consistent(name: string, make: LayoutMaker, description: string): NamedPolicy<typeof settings> {
  return {
    description,
    settings,
    faults: ({ key: option, balance }) => [
      ...keyFaults(option),
      ...(balance > 0 && balance < 1
        ? [`balance: expected a number of at least 1, or 0 or false, got ${balance}`]
        : []),
    ],
    make({ key: option = { address: true }, balance: factor }, parts): Policy {
      const inner = parts.inner()
      const inFlight = new InFlight()
      const keyed: KeyedParts = {
        keys: new KeyReader(option),
        layouts: new Layouts(make),
        inFlight,
        factor,
      }
      return {
        name,
        over(available, draining, spare) {
          inFlight.over(available)
          return new KeyedPicker(available, keyed, inner.over(available, draining, spare), inner.name)
        },
        attach(balancer: Balancer) {
          const detachInner = inner.attach?.(balancer)
          const stopCounting = factor > 0 ? inFlight.countFor(balancer) : undefined
          return () => {
            stopCounting?.()
            detachInner?.()
          }
        },
      }
    },
  }
}

/** The same key goes to the same backend, by layouts that move few keys when the set changes. */
export const consistentPolicies = {
  maglev: consistent(
    'maglev',
    maglev,
    'By the hash of a key, e.g. the client: a table of 65 537 places (Maglev), the fastest and most even',
  ),
  ring: consistent(
    'ring',
    ring,
    'By the hash of a key: a ring (ketama), with the same answers as nginx `hash … consistent`',
  ),
  rendezvous: consistent(
    'rendezvous',
    rendezvous,
    'By the hash of a key: the highest score of key and backend; moves the fewest keys, but a pick is O(n)',
  ),
} as const
