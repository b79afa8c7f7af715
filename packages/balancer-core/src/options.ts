import {
  canBeOff,
  code,
  faultsOf,
  functionFaults,
  milliseconds,
  shown,
  strict,
  withDefaults,
  withoutSecrets,
} from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { BackendOptions, parseBackends, type ParsedBackend } from './backends/backend-options.ts'
import type { Clock } from './clock.ts'
import { BadOptionsError } from './errors.ts'
import { policies, type PolicyName } from './picking/policies/by-name.ts'
import { parsePolicy } from './picking/policies/chosen-policy.ts'
import type { Policy } from './picking/policy.ts'
import { PoolOptions, TimeoutOptions } from './backends/pool-options.ts'
import { RetryOptions } from './attempt/retry-options.ts'
import { fieldName, ForwardedOptions } from './request/forwarded-options.ts'
import type { RequestRewrite } from './request/request-rewrite.ts'
import type { ResponseRewrite } from './response/response-rewrite.ts'
import type { BalancerOptions as Options } from './options.generated.ts'

const QueueOptions = Type.Object(
  {
    max: Type.Integer({
      minimum: 0,
      default: 1024,
      description: 'Requests that may wait for a backend to become free; more get 503 at once',
    }),
  },
  { ...strict, default: {}, description: 'Where requests wait while every backend is full' },
)

/** Everything that `register` takes. The one source of the type, the validation, the defaults and the README's table. */
export const BalancerOptions = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      default: 'default',
      description: 'The name under `fastify.balancers`; unique on one server',
    }),
    prefix: Type.String({ default: '/', description: 'The path below which requests are forwarded' }),
    constraints: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      description: "Fastify's route constraints: `host`, `version`",
    }),
    route: Type.Boolean({
      default: true,
      description: 'Register the catch-all route; without it, only `reply.forward()` forwards',
    }),
    lane: Type.Union([Type.Literal('auto'), Type.Literal('raw'), Type.Literal('full')], {
      default: 'auto',
      description:
        'How responses go out: straight to the socket, through `reply.send` and its `onSend` hooks, or whichever a route needs',
    }),
    backends: Type.Array(Type.Union([Type.String(), BackendOptions]), {
      default: [],
      description: 'Addresses, or objects as below',
    }),
    policy: Type.Unsafe<PolicyName | { name: PolicyName } | Policy>(
      Type.Any({
        default: 'round-robin',
        description: `How a backend is chosen: ${Object.keys(policies)
          .map((name) => `\`${name}\``)
          .join(', ')}, or a \`Policy\` of your own`,
      }),
    ),
    pool: PoolOptions,
    timeouts: TimeoutOptions,
    retry: canBeOff(RetryOptions, { attempts: 0 }),
    queue: canBeOff(QueueOptions, { max: 0 }),
    maxExchanges: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Requests in progress at once in this process, all its balancers together; more get 503 at once. If not given: two fifths of `ulimit -n`, since each request needs two sockets',
      }),
    ),
    minClientRate: Type.Number({
      minimum: 0,
      default: 240,
      description:
        'A client that reads its response, or sends a body of known length, more slowly than this is cut off (bytes a second, on average over `timeouts.idle`; 0 = no limit)',
    }),
    panicThreshold: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Literal(false)], {
      default: 0,
      description:
        'Below this available share, soft vetoes are ignored; 0 = only when none is available, `false` = never',
    }),
    slowStart: milliseconds('How long a backend that joins or comes back takes to get its whole share', 0),
    drainDeadline: milliseconds(
      'How long a drained or removed backend, or the whole app, may finish what it has',
      30_000,
    ),
    forwarded: canBeOff(ForwardedOptions, { xForwarded: false, forwarded: false, via: false }),
    host: Type.String({
      minLength: 1,
      default: 'preserve',
      description: "The `host` that backends see: `preserve` the client's, `backend` for their own, or this text",
    }),
    paths: Type.Union([Type.Literal('strict'), Type.Literal('as-is')], {
      default: 'strict',
      description:
        '`strict` answers 400 to paths with dot segments, and to paths that a backend may read as another route of your app; `as-is` forwards every path',
    }),
    requestId: Type.Union(
      [Type.String({ pattern: fieldName, expected: 'the name of a header' }), Type.Literal(false)],
      {
        default: false,
        description:
          'Name of a header, such as `x-request-id`, in which backends get `request.id`; one that a peer trusted by `trustProxy` has sent is passed on instead',
      },
    ),
    failureHeader: Type.Boolean({
      default: false,
      description: 'Name the reason of a failure in `x-balancer-failure`',
    }),
    logQuery: Type.Boolean({
      default: false,
      description:
        "Log paths with their query, which may hold passwords and tokens: in the balancer's lines, and in Fastify's own lines about the balancer's routes. Other routes of the app are logged as your `logger` does it",
    }),
    rewrite: Type.Object(
      {
        stripPrefix: Type.Boolean({ default: false, description: 'Take the prefix off the path' }),
        request: code<RequestRewrite>(
          '`({ in, out }) => {}`: changes method, path and headers of what is sent, after all hygiene',
        ),
        response: code<ResponseRewrite>(
          '`({ in, out }) => {}`: changes status and headers of what is answered, and in the full lane the body',
        ),
      },
      { ...strict, default: {}, description: 'Changes of what is sent, and of what is answered' },
    ),
    clock: code<Clock>('Where time comes from, for tests'),
    random: code<() => number>('Where randomness comes from, for tests: 0 ≤ x < 1'),
  },
  strict,
)
/** What `register` takes: everything optional, nested objects in part. */
export type BalancerOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Readonly<Omit<Static<typeof BalancerOptions>, 'backends' | 'policy'>> & {
  readonly backends: readonly ParsedBackend[]
  readonly policy: (random: () => number) => Policy
}

const anything = Type.Optional(Type.Any())

/** What is checked by its schema alone. Objects with code are not: a copy of them would have a state of its own. */
const dataSchema = Type.Object(
  { ...BalancerOptions.properties, backends: anything, policy: anything, clock: anything, random: anything },
  strict,
)

/** What no schema can check: that what should be code is code. */
function codeFaults({ rewrite }: ParsedOptions, random: unknown, clock: unknown): string[] {
  const { now, setTimeout, clearTimeout } = (clock ?? {}) as Partial<Clock>
  const parts = clock === undefined ? {} : { now, setTimeout, clearTimeout }
  const missing = Object.entries(parts).find(([, part]) => typeof part !== 'function')
  return [
    ...functionFaults('rewrite.request', rewrite?.request),
    ...functionFaults('rewrite.response', rewrite?.response),
    ...functionFaults('random', random),
    ...(missing === undefined ? [] : functionFaults(`clock.${missing[0]}`, missing[1] ?? null)),
  ]
}

/** Fills in defaults, in a copy, and checks everything. */
export function readOptions(given: BalancerOptions): {
  readonly options: ParsedOptions
  readonly faults: readonly string[]
} {
  const {
    backends: listed = [],
    policy: chosen = 'round-robin',
    clock,
    random,
    ...data
  } = (given ?? {}) as Record<string, unknown>
  const options = withDefaults(dataSchema, data) as ParsedOptions
  const faults = [...faultsOf(dataSchema, options), ...codeFaults(options, random, clock)]
  const policy = parsePolicy(chosen, faults)
  const pool = Value.Check(PoolOptions, options.pool) ? options.pool : Value.Create(PoolOptions)
  const backends = parseBackends(listed, pool, faults)
  if (typeof options.prefix === 'string' && !options.prefix.startsWith('/'))
    faults.push(`prefix: expected a path that begins with '/', got ${shown(options.prefix)}`)
  const parsed = {
    ...options,
    backends,
    policy,
    ...(clock !== undefined && { clock: clock as Clock }),
    ...(random !== undefined && { random: random as () => number }),
  }
  return { options: Object.freeze(parsed), faults: faults.map(withoutSecrets) }
}

/**
 * The options with every default in place.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: BalancerOptions): ParsedOptions {
  const { options, faults } = readOptions(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/** Every fault of the options, one line each; for whoever checks more than these and wants to name all at once. */
export function faultsOfOptions(given: BalancerOptions): readonly string[] {
  return readOptions(given).faults
}
