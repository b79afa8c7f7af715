import { code, hookFaults, hooks, hostFaults, hosts, readOptions, shown, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import type { Registry } from 'prom-client'
import { BadOptionsError } from './errors.ts'
import type { MetricsOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The only source of the type, the validation, the defaults and the README's table. */
export const MetricsOptions = Type.Object(
  {
    route: Type.Boolean({
      default: true,
      description: 'Add the route. With `false`, serve `await app.balancerMetrics.text()` yourself',
    }),
    path: Type.String({
      pattern: '^/',
      expected: "a path that begins with '/'",
      default: '/metrics',
      description: 'Path of the route',
    }),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks that authenticate requests for the route; without any it is open to all',
    ),
    hosts: hosts(
      'Allowed values of `Host` besides `localhost` and IP addresses; others get 403, against DNS rebinding. If not given, any. In `fastify-balancer` with `admin.insecure` and without `onRequest` here: those of `admin`',
    ),
    registry: code<Registry>('Registry of prom-client for the metrics; a new one if not given'),
    defaultMetrics: Type.Boolean({
      default: false,
      description: "Add prom-client's metrics of the process: CPU, memory, event loop, garbage collection",
    }),
    buckets: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
      minItems: 1,
      default: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      description: 'Upper bounds of histogram buckets, in seconds, ascending; those of tunnels are fixed',
    }),
    tracing: Type.Boolean({
      default: false,
      description: 'Create OpenTelemetry spans: one for each request, with a child span for each attempt',
    }),
  },
  strict,
)
/** What `register` takes; everything is optional. */
export type MetricsOptions = Options

/** The options with all defaults filled in. */
export type ParsedOptions = Static<typeof MetricsOptions>

/** Faults that the schema cannot express. */
function furtherFaults({ onRequest, hosts: listed, registry, buckets }: ParsedOptions): string[] {
  const faults = [...hookFaults('onRequest', onRequest), ...hostFaults('hosts', listed)]
  if (registry !== undefined && typeof registry?.registerMetric !== 'function')
    faults.push(`registry: expected a Registry of prom-client, got ${shown(registry)}`)
  if (buckets.some((bound, index) => index > 0 && bound <= buckets[index - 1]!))
    faults.push(`buckets: must be in ascending order, not ${buckets.join(', ')}`)
  return faults
}

const read = (given: MetricsOptions) => readOptions(MetricsOptions, given, furtherFaults)

/**
 * Fills in defaults, in a copy, and validates all options.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: MetricsOptions = {}): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/** Every fault of the options, one line each. For a caller that reports them together with others. */
export function faultsOfOptions(given: MetricsOptions): readonly string[] {
  return read(given).faults
}
