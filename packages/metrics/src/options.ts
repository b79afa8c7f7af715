import { code, hookFaults, hooks, hostFaults, hosts, readOptions, shown, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { onRequestHookHandler } from 'fastify'
import type { Registry } from 'prom-client'
import { BadOptionsError } from './errors.ts'
import type { MetricsOptions as Options } from './options.generated.ts'

/** Everything that `register` takes. The one source of the type, the validation, the defaults and the README's table. */
export const MetricsOptions = Type.Object(
  {
    route: Type.Boolean({
      default: true,
      description: 'Add the route; `false` leaves it to `app.balancerMetrics.text()`',
    }),
    path: Type.String({
      pattern: '^/',
      expected: "a path that begins with '/'",
      default: '/metrics',
      description: 'Its path',
    }),
    onRequest: hooks<onRequestHookHandler>(
      'Hooks of the route, e.g. one that asks who it is: figures tell much about a site',
    ),
    hosts: hosts(
      'Host names at which the route answers, besides `localhost` and addresses; others get 403. If not given: any; in `fastify-balancer` with `admin.insecure` and without `onRequest` here, those of `admin`',
    ),
    registry: code<Registry>("A registry of prom-client's to put them into; a new one if not given"),
    defaultMetrics: Type.Boolean({
      default: false,
      description: "Also the process's own: CPU, memory, event loop, garbage collection",
    }),
    buckets: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
      minItems: 1,
      default: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      description: 'Upper bounds of the histograms, in seconds, ascending',
    }),
    tracing: Type.Boolean({
      default: false,
      description: 'Spans of OpenTelemetry: one for each request, below it one for each attempt',
    }),
  },
  strict,
)
/** What `register` takes: everything optional. */
export type MetricsOptions = Options

/** Options with every default in place. */
export type ParsedOptions = Static<typeof MetricsOptions>

/** What no schema can say. */
function furtherFaults({ onRequest, hosts: listed, registry, buckets }: ParsedOptions): string[] {
  const faults = [...hookFaults('onRequest', onRequest), ...hostFaults('hosts', listed)]
  if (registry !== undefined && typeof registry?.registerMetric !== 'function')
    faults.push(`registry: expected a Registry of prom-client, got ${shown(registry)}`)
  if (buckets.some((bound, index) => index > 0 && bound <= buckets[index - 1]!))
    faults.push(`buckets: expected ascending numbers, got ${buckets.join(', ')}`)
  return faults
}

const read = (given: MetricsOptions) => readOptions(MetricsOptions, given, furtherFaults)

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: MetricsOptions = {}): ParsedOptions {
  const { options, faults } = read(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/** Every fault of the options, one line each; for whoever checks more than these and wants to name all at once. */
export function faultsOfOptions(given: MetricsOptions): readonly string[] {
  return read(given).faults
}
