import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import {
  BackendOptions,
  BalancerOptions as CoreOptions,
  CallOptions,
  corePolicies,
} from '@fastify-balancer/balancer-core'
import { CircuitBreakerOptions, RateOptions } from '@fastify-balancer/circuit-breaker'
import { DashboardOptions } from '@fastify-balancer/dashboard'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { FleetOptions } from '@fastify-balancer/fleet'
import { MirrorOptions } from '@fastify-balancer/mirror'
import { policies } from '@fastify-balancer/policies'
import { ProxyProtocolOptions } from '@fastify-balancer/proxy-protocol'
import { BalancerOptions } from 'fastify-balancer'
import { join } from 'node:path'
import { BackendInScenario } from '../../fastify-balancer/src/simulation/scenario/backend-in-scenario.ts'
import { fileOptions, scenarioOptions } from '../../../test/readme-tables.ts'
import { CodeTypes } from '../../../test/support/code-types.ts'
import { optionsIn } from '../../../test/support/options-in.ts'
import { anchored, code, page, table } from './markdown.ts'
import { formOf, unitOf, type BoundedSchema, type WrittenTypes } from './option-form.ts'

/** Schemas, and where in this reference they stand. */
interface OptionPage {
  /** The package, or what else has options. */
  readonly name: string
  readonly about: string
  readonly schema: BoundedSchema
  /** Further schemas, by what stands before their tables. The options of `backends` begin with `backends.` in links. */
  readonly more?: Readonly<Record<string, BoundedSchema>>
}

const backends = { 'Each of `backends` is an address, or an object:': BackendOptions }

const pages: readonly OptionPage[] = [
  {
    name: 'fastify-balancer',
    about:
      'What `register` takes, and each of `balancers` in a [file](file.md). Everything is optional; unknown keys fail at boot.',
    schema: BalancerOptions,
    more: backends,
  },
  {
    name: 'file',
    about:
      'What a configuration file holds. Each of `balancers`, and `metrics`, `dashboard` and `underPressure`, take the [options of `register`](fastify-balancer.md). The [guide](../../guide/files.md) explains variables, secrets and functions.',
    schema: fileOptions(),
  },
  {
    name: 'scenario',
    about:
      'What `simulate` takes, and a scenario file holds. `balancer` takes the [options of `register`](fastify-balancer.md).',
    schema: scenarioOptions(),
    more: { 'Each of `backends`:': BackendInScenario },
  },
  { name: 'balancer-core', about: 'What the core alone takes.', schema: CoreOptions, more: backends },
  {
    name: 'forward',
    about: 'What `reply.forward()` takes, for one request. `balancer` names the balancer, where there are several.',
    schema: CallOptions,
  },
  { name: 'health-check', about: 'Also as `healthCheck` of `fastify-balancer`.', schema: HealthCheckOptions },
  {
    name: 'circuit-breaker',
    about: 'Also as `circuitBreaker` of `fastify-balancer`.',
    schema: CircuitBreakerOptions,
    more: { '`rate` is `false`, or an object:': RateOptions },
  },
  { name: 'adaptive-limit', about: 'Also as `adaptiveLimit` of `fastify-balancer`.', schema: AdaptiveLimitOptions },
  { name: 'admin-routes', about: 'Also as `admin` of `fastify-balancer`.', schema: AdminRoutesOptions },
  { name: 'dashboard', about: 'Also as `dashboard` of `fastify-balancer`.', schema: DashboardOptions },
  { name: 'metrics', about: 'Also as `metrics` of `fastify-balancer`.', schema: MetricsOptions },
  { name: 'mirror', about: 'Also as `mirror` of `fastify-balancer`.', schema: MirrorOptions },
  { name: 'fleet', about: 'Also as `fleet` of `fastify-balancer`.', schema: FleetOptions },
  { name: 'proxy-protocol', about: 'What `proxyProtocol()` takes.', schema: ProxyProtocolOptions },
]

const packages = join(import.meta.dirname, '..', '..')
const known = new Map<string, CodeTypes>()

/** The types that are written in the source of packages: that of this name first. */
function writtenTypes(name: string): WrittenTypes {
  return [name, 'balancer-core', 'health-check', 'circuit-breaker', 'admin-routes', 'metrics', 'policies']
    .filter((folder) => !['file', 'scenario', 'forward'].includes(folder))
    .map((folder) => {
      const types = known.get(folder) ?? new CodeTypes(join(packages, folder, 'src'))
      known.set(folder, types)
      return types
    })
}

const head = ['option', 'values', 'default', 'meaning']

/** `anchor`: what stands before the path in links. */
function optionTable(schema: BoundedSchema, types: WrittenTypes, anchor = ''): string {
  const rows = optionsIn(schema).map(({ path, option }) => [
    anchored(`${anchor}${path}`, code(path)),
    `${code(formOf(path.split('.').at(-1)!, option, types))} ${unitOf(option)}`.trim(),
    option.default === undefined ? '' : code(JSON.stringify(option.default).replaceAll('"', "'")),
    option.description ?? '',
  ])
  return table(head, rows)
}

/** A page of options for each package, by its file within the reference. */
export function optionPages(): Record<string, string> {
  return Object.fromEntries(
    pages.map(({ name, about, schema, more = {} }) => {
      const types = writtenTypes(name)
      const others = Object.entries(more).flatMap(([before, one]) => [
        before,
        optionTable(one, types, `${/`(\w+)`/.exec(before)![1]!}.`),
      ])
      return [`options/${name}.md`, page(`Options: ${name}`, about, optionTable(schema, types), ...others)]
    }),
  )
}

/** Every policy with its settings. */
export function policyPage(): string {
  const types = writtenTypes('policies')
  const parts = Object.entries({ ...corePolicies, ...policies }).flatMap(([name, { description, settings }]) => [
    `## ${name}`,
    description,
    Object.keys(settings.properties).length === 0 ? 'No settings.' : optionTable(settings, types, `${name}.`),
  ])
  const about =
    "`policy` takes one of these names, or an object with the name and its settings: `{ name: 'peak-ewma', decay: 5000 }`. [Which one?](../../policies/README.md#which-policy)"
  return page('Policies', about, ...parts)
}
