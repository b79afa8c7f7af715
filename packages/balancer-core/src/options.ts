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
import { tlsFaults } from './connections/tls/tls-faults.ts'
import type { Clock } from './clock.ts'
import { BadOptionsError } from './errors.ts'
import { HedgeOptions } from './hedging/hedge-options.ts'
import { corePolicies } from './picking/policies/by-name.ts'
import type { NamedPolicies } from './picking/policies/named-policy.ts'
import { parsePolicy, type ParsedPolicy } from './picking/policies/parse-policy.ts'
import type { PolicyOption } from './picking/policies/policy-option.ts'
import { QueueOptions, queueFaults } from './picking/queue/queue-options.ts'
import { PoolOptions, TimeoutOptions } from './backends/pool-options.ts'
import { RetryOptions } from './attempt/retry-options.ts'
import { fieldName, ForwardedOptions } from './request/forwarded-options.ts'
import { UpgradeOptions } from './tunnel/upgrade-options.ts'
import { rewriteFaults, RewriteOptions } from './rewriting/rewrite-options.ts'
import type { BalancerOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const BalancerOptions = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      default: 'default',
      description: 'Name of this balancer, e.g. in `fastify.balancers` and the log; unique on one server',
    }),
    prefix: Type.String({ default: '/', description: 'Requests below this path are forwarded' }),
    constraints: Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      description: "Fastify's route constraints: `host`, `version`",
    }),
    route: Type.Boolean({
      default: true,
      description:
        'Forward every request below `prefix` that no other route takes; with `false`, only `reply.forward()` forwards',
    }),
    lane: Type.Union([Type.Literal('auto'), Type.Literal('raw'), Type.Literal('full')], {
      default: 'auto',
      description:
        'How responses are sent: `raw` straight to the socket (fast), `full` through `reply.send` and its `onSend` hooks, `auto` = `full` only for routes with such hooks',
    }),
    backends: Type.Array(Type.Union([Type.String(), BackendOptions]), {
      default: [],
      description: 'The servers to forward to: addresses, or objects as below',
    }),
    policy: Type.Unsafe<PolicyOption>(
      Type.Any({
        default: 'round-robin',
        description: `How a backend is chosen: ${Object.keys(corePolicies)
          .map((name) => `\`${name}\``)
          .join(', ')}, another that a plugin has registered, or a \`Policy\` of your own`,
      }),
    ),
    pool: PoolOptions,
    timeouts: TimeoutOptions,
    retry: canBeOff(RetryOptions, { attempts: 0 }),
    hedge: canBeOff(
      Type.Union([HedgeOptions, Type.Literal(false)], {
        default: false,
        description:
          'Send a second attempt of a slow request to another backend, and take the first response (hedging); `true` = with these defaults. Only requests without a body, with an idempotent method of `retry.methods`',
      }),
      false,
    ),
    queue: canBeOff(QueueOptions, { max: 0 }),
    upgrade: canBeOff(UpgradeOptions, { protocols: [] }),
    maxExchanges: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Most requests in progress at once in this process, all its balancers together; more get 503 at once. Default: two fifths of `ulimit -n`, since each request needs two sockets',
      }),
    ),
    minClientRate: Type.Number({
      minimum: 0,
      default: 240,
      description:
        'A client that reads its response, or sends a body of known length, more slowly than this is disconnected (bytes per second, averaged over `timeouts.idle`; 0 = no limit)',
    }),
    maxConnectionAge: milliseconds(
      'Age, ± 10 %, at which clients are asked to open a new connection: over HTTP/2 by GOAWAY, over HTTP/1.1 by `connection: close` in the next response. Spreads clients that keep connections over instances and cores. Concerns all connections of the server; of several balancers, the smallest counts',
      0,
    ),
    maxConnectionAgeGrace: milliseconds(
      'How long requests on such a connection may still go on; then it is cut off',
      0,
    ),
    panicThreshold: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Literal(false)], {
      default: 0,
      description:
        'Panic mode: when the healthy share of backends falls below this (0–1), health is ignored and all are tried, except drained ones; 0 = only when none is healthy, `false` = never',
    }),
    slowStart: milliseconds(
      'How long a new or recovered backend takes to ramp up from 10 % of its share to all of it',
      0,
    ),
    drainDeadline: milliseconds(
      'How long requests may go on when their backend is drained or removed, or when the app closes; then they are aborted',
      30_000,
    ),
    forwarded: canBeOff(ForwardedOptions, { xForwarded: false, forwarded: false, via: false }),
    host: Type.String({
      minLength: 1,
      default: 'preserve',
      description:
        "The `Host` header that backends get: `preserve` = the client's, `backend` = the backend's own, or any other text literally",
    }),
    paths: Type.Union([Type.Literal('strict'), Type.Literal('as-is')], {
      default: 'strict',
      description:
        '`strict` answers 400 to paths with dot segments and to paths that a backend may read as another route of your app; `as-is` forwards every path',
    }),
    requestId: Type.Union(
      [Type.String({ pattern: fieldName, expected: 'the name of a header' }), Type.Literal(false)],
      {
        default: false,
        description:
          'Name of a header, such as `x-request-id`, that carries `request.id` to backends. If a peer trusted by `trustProxy` sent that header, its value is passed on instead',
      },
    ),
    failureHeader: Type.Boolean({
      default: false,
      description: 'Tell clients why a request failed, in the response header `x-balancer-failure`',
    }),
    logQuery: Type.Boolean({
      default: false,
      description:
        'Log URLs with their query, which may hold passwords and tokens. Concerns requests of the balancer only; other routes of the app are logged as your `logger` does it',
    }),
    rewrite: RewriteOptions,
    clock: code<Clock>('Source of time, for tests'),
    random: code<() => number>('Source of random numbers, for tests: 0 ≤ x < 1'),
  },
  strict,
)
/** What `register` takes: everything optional, nested objects in part. */
export type BalancerOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Readonly<Omit<Static<typeof BalancerOptions>, 'backends' | 'policy'>> & {
  readonly backends: readonly ParsedBackend[]
  readonly policy: ParsedPolicy
}

const anything = Type.Optional(Type.Any())

/** What its schema alone checks. Objects with functions are not copied: a copy would have state of its own. */
const dataSchema = Type.Object(
  { ...BalancerOptions.properties, backends: anything, policy: anything, clock: anything, random: anything },
  strict,
)

/** What a schema cannot check: that functions are functions. */
function codeFaults({ rewrite, prefix }: ParsedOptions, random: unknown, clock: unknown): string[] {
  const { now, setTimeout, clearTimeout } = (clock ?? {}) as Partial<Clock>
  const parts = clock === undefined ? {} : { now, setTimeout, clearTimeout }
  const missing = Object.entries(parts).find(([, part]) => typeof part !== 'function')
  return [
    ...rewriteFaults(rewrite, prefix),
    ...functionFaults('random', random),
    ...(missing === undefined ? [] : functionFaults(`clock.${missing[0]}`, missing[1] ?? null)),
  ]
}

/** Fills in defaults, in a copy, and checks everything. `named`: the policies that can be named. */
export function readOptions(
  given: BalancerOptions,
  named: NamedPolicies = corePolicies,
): {
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
  const policy = parsePolicy(chosen, named, faults)
  const pool = Value.Check(PoolOptions, options.pool) ? options.pool : Value.Create(PoolOptions)
  faults.push(...queueFaults(options.queue))
  if (pool === options.pool) faults.push(...tlsFaults(pool.tls, 'pool.tls'))
  const backends = parseBackends(listed, pool, faults)
  if (typeof options.prefix === 'string' && !/^\/[^?#*]*$/.test(options.prefix))
    faults.push(`prefix: expected a path that begins with '/', without ?, # and *, got ${shown(options.prefix)}`)
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
export function parseOptions(given: BalancerOptions, named?: NamedPolicies): ParsedOptions {
  const { options, faults } = readOptions(given, named)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/**
 * Every fault of the options, one line each; for a caller that validates more than these and wants to report everything
 * at once.
 */
export function faultsOfOptions(given: BalancerOptions, named?: NamedPolicies): readonly string[] {
  return readOptions(given, named).faults
}
