// Room `picking/policies`: the core's policies that options can name, and how an option is read.
import { least } from './least.ts'
import { noSettings, type NamedPolicies } from './named-policy.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import { twoChoices } from './two-choices.ts'
import { weighted } from './weighted.ts'

/** The core's own policies. */
export const corePolicies = {
  'round-robin': {
    description: 'Each in turn, in proportion to weights',
    settings: noSettings,
    make: () => roundRobin(),
  },
  weighted: {
    description: 'Each in turn, in proportion to weights, evenly spread: smooth weighted round robin, as in nginx',
    settings: noSettings,
    make: () => weighted(),
  },
  random: {
    description: 'A random one, in proportion to weights',
    settings: noSettings,
    make: (_settings, parts) => random(parts.random),
  },
  p2c: {
    description: 'Of two random ones, the one with fewer requests in flight relative to its weight',
    settings: noSettings,
    make: (_settings, parts) => twoChoices('p2c', ({ load }) => load, parts.random),
  },
  'least-requests': {
    description: 'The one with the fewest requests in flight relative to its weight, as in nginx `least_conn`',
    settings: noSettings,
    make: () => least('least-requests', ({ load }) => load),
  },
} as const satisfies NamedPolicies
