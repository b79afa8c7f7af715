import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static, type TObject } from '@sinclair/typebox'
import { BalancerInFile } from '../../configuration/schema/balancer.ts'
import { BackendInScenario } from './backend-in-scenario.ts'
import { simulatedOptions, type ChosenPolicy } from './simulated-options.ts'

const Keys = Type.Object(
  {
    header: Type.String({ minLength: 1, default: 'x-user', description: 'The header that says whose request it is' }),
    users: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1000, description: 'How many users there are' }),
    skew: Type.Number({
      minimum: 0,
      maximum: 5,
      default: 1,
      description:
        "Exponent of Zipf's law: 0 = all ask equally often, 1 = the first twice as often as the second, three times as often as the third",
    }),
  },
  { ...strict, description: 'Who asks: for policies that send each user to a backend of its own' },
)

const Arrivals = Type.Object(
  {
    rate: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Open loop: requests per second, however long the answers take',
      }),
    ),
    process: Type.Union([Type.Literal('poisson'), Type.Literal('constant')], {
      default: 'poisson',
      description: 'Open loop: `poisson` = independent of each other, `constant` = evenly spaced',
    }),
    clients: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Closed loop: clients that each wait for their answer and ask again' }),
    ),
    think: milliseconds('Closed loop: how long a client waits before it asks again', 0),
  },
  { ...strict, description: 'When requests come: `rate` or `clients`' },
)

const Newcomers: typeof BackendInScenario = {
  ...BackendInScenario,
  description: 'Backends that join it, as in `backends`',
}

const Change = Type.Object(
  {
    at: Type.Number({ minimum: 0, description: 'When (ms from the beginning of the traffic)' }),
    remove: Type.Optional(Type.String({ description: 'The name of a backend that leaves the list' })),
    add: Type.Optional(Newcomers),
    change: Type.Optional(Type.String({ description: 'The name of a backend that gets another weight' })),
    weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description: 'Its weight from then on' })),
  },
  strict,
)

const anyPolicy = Type.Unsafe<ChosenPolicy>(Type.Any())

const SimulatedBalancer: TObject = {
  ...(Type.Pick(BalancerInFile, simulatedOptions) as TObject),
  default: {},
  description: `Options of \`register\`: ${simulatedOptions.map((name) => `\`${name}\``).join(', ')}`,
  additionalProperties: false,
}

/** What `simulate` takes, and what a scenario file holds. */
export const SimulationOptions = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'The JSON Schema that editors use, in a JSON file' })),
    backends: Type.Array(BackendInScenario, { minItems: 1, description: 'The servers' }),
    arrivals: Arrivals,
    policy: Type.Optional(
      Type.Unsafe<ChosenPolicy>(
        Type.Any({ description: 'How a backend is chosen, as `register` takes it. Default: `round-robin`' }),
      ),
    ),
    policies: Type.Optional(
      Type.Array(anyPolicy, {
        minItems: 1,
        description: 'Several policies, in place of `policy`: all get the same requests, and are compared',
      }),
    ),
    keys: Type.Optional(Keys),
    balancer: SimulatedBalancer,
    changes: Type.Array(Change, {
      default: [],
      description:
        'Changes of the list while requests come: each has `at`, and `remove`, `add`, or `change` with `weight`',
    }),
    duration: Type.Number({ exclusiveMinimum: 0, default: 60_000, description: 'How long requests come (ms)' }),
    warmUp: Type.Number({
      minimum: 0,
      default: 5000,
      description: 'Nothing is measured before this (ms); less than `duration`',
    }),
    seed: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      default: 1,
      description: 'What all chance comes from: the same seed, the same results',
    }),
  },
  strict,
)

/** With every default in place, and `count` written out. */
export type ParsedScenario = Static<typeof SimulationOptions>

/** The option `keys`. */
export type KeyOptions = Static<typeof Keys>
