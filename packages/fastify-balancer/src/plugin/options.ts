import { AdminRoutesOptions, faultsOfOptions as faultsOfAdmin } from '@fastify-balancer/admin-routes'
import { BadOptionsError, BalancerOptions as CoreOptions, faultsOfOptions } from '@fastify-balancer/balancer-core'
import { AdaptiveLimitOptions, faultsOfOptions as faultsOfLimits } from '@fastify-balancer/adaptive-limit'
import { CircuitBreakerOptions, faultsOfOptions as faultsOfBreaker } from '@fastify-balancer/circuit-breaker'
import { faultsOfOptions as faultsOfDashboard } from '@fastify-balancer/dashboard'
import { faultsOfOptions as faultsOfFleet, FleetOptions } from '@fastify-balancer/fleet'
import { faultsOfOptions as faultsOfCheck, HealthCheckOptions } from '@fastify-balancer/health-check'
import { faultsOfOptions as faultsOfMetrics, MetricsOptions } from '@fastify-balancer/metrics'
import { faultsOfOptions as faultsOfMirror, MirrorOptions } from '@fastify-balancer/mirror'
import { shownKind, strict, unknownOption } from '@fastify-balancer/option-schema'
import { Type, type TObject } from '@sinclair/typebox'
import { dashboardOptions, FacadeDashboardOptions } from './dashboard-options.ts'
import type { BalancerOptions as Options } from './options.generated.ts'
import { policies } from './policies.ts'
import { faultsOfSticky, StickyOptions } from './sticky-option.ts'
import { faultsOfUnderPressure, UnderPressureOptions } from './under-pressure.ts'

/** The options of a plugin, or whether there is one. */
const plugin = (options: TObject, byDefault: boolean, description: string) =>
  Type.Union([options, Type.Boolean()], { default: byDefault, description })

/** Everything that `register` takes: the balancer's own options, and those of the plugins around it, which check their own. */
export const BalancerOptions: TObject = Type.Object(
  {
    ...CoreOptions.properties,
    sticky: Type.Union([StickyOptions, Type.Literal(false)], {
      default: false,
      description:
        'Sticky sessions: a client stays with the backend that answered it first, by a cookie or a header; `policy` chooses for new clients',
    }),
    healthCheck: plugin(
      Type.Omit(HealthCheckOptions, ['balancer']),
      true,
      'Health checks, active and passive; `false` = none',
    ),
    circuitBreaker: plugin(
      Type.Omit(CircuitBreakerOptions, ['balancer']),
      true,
      'A circuit breaker for each backend; `false` = none',
    ),
    adaptiveLimit: plugin(
      Type.Omit(AdaptiveLimitOptions, ['balancer']),
      false,
      'Finds for each backend how many requests it can have in flight, within `maxInFlight`; more wait in the queue',
    ),
    mirror: Type.Union([Type.Omit(MirrorOptions, ['balancer']), Type.Literal(false)], {
      default: false,
      description: 'Copies of a share of the requests go to other servers, too; what these answer is discarded',
    }),
    metrics: plugin(
      MetricsOptions,
      false,
      'Metrics for Prometheus, of all balancers of the server: give it to one balancer only. Open to all unless its `onRequest` says otherwise',
    ),
    admin: Type.Union([AdminRoutesOptions, Type.Literal(false)], {
      default: false,
      description:
        'Admin routes, for all balancers of the server: give it to one balancer only. They need `onRequest`, a hook that checks who asks',
    }),
    dashboard: plugin(
      FacadeDashboardOptions,
      false,
      'The live page. Needs `admin`; unless told otherwise, it is below the `prefix` of `admin`, behind its hooks for reading',
    ),
    fleet: plugin(
      FleetOptions,
      true,
      'Acts as one with the other processes that have the same parent or store; `false` = alone',
    ),
    underPressure: plugin(
      UnderPressureOptions,
      false,
      'Answers 503 while the process is overloaded, whatever the balancer: give it to one balancer only, and not beside a `@fastify/under-pressure` of your own',
    ),
  },
  strict,
)

/** What `register` takes: everything optional, nested objects in part; `false` leaves a plugin out. */
export type BalancerOptions = Options

/** The options of each plugin; `false` for those that are left out. */
export interface PluginOptions {
  /** As they are given, without what `sticky` makes of `policy`. */
  readonly core: CoreOptions
  readonly sticky: StickyOptions | false
  readonly healthCheck: HealthCheckOptions | false
  readonly circuitBreaker: CircuitBreakerOptions | false
  readonly adaptiveLimit: AdaptiveLimitOptions | false
  readonly mirror: MirrorOptions | false
  readonly metrics: MetricsOptions | false
  readonly admin: AdminRoutesOptions | false
  readonly dashboard: FacadeDashboardOptions | false
  readonly fleet: FleetOptions | false
  readonly underPressure: UnderPressureOptions | false
}

/** `true` stands for a plugin with its defaults. */
function on<Part extends object>(given: Part | boolean | undefined, byDefault: boolean): Part | false {
  // Not `??`: null is not a value of these options, and its check says so.
  const chosen = given === undefined ? byDefault : given
  return chosen === true ? ({} as Part) : chosen
}

/** The options of each plugin by themselves, with `true` read as its defaults. It checks nothing: see `check`. */
export function pluginOptions(given: BalancerOptions): PluginOptions {
  const {
    sticky = false,
    healthCheck,
    circuitBreaker,
    adaptiveLimit,
    mirror,
    metrics,
    admin,
    dashboard,
    fleet,
    underPressure,
    ...core
  } = given
  return {
    core,
    sticky,
    healthCheck: on(healthCheck, true),
    circuitBreaker: on(circuitBreaker, true),
    adaptiveLimit: on(adaptiveLimit, false),
    mirror: mirror === undefined ? false : mirror,
    metrics: on(metrics, false),
    admin: admin === undefined ? false : admin,
    dashboard: on(dashboard, false),
    fleet: on(fleet, true),
    underPressure: on(underPressure, false),
  }
}

function placed(name: string, faults: readonly string[]): string[] {
  // A fault of the whole part has no place of its own.
  return faults.map((fault) => (/^\S+: /.test(fault) ? `${name}.${fault}` : `${name}: ${fault}`))
}

function pageFaults(dashboard: FacadeDashboardOptions, admin: AdminRoutesOptions | false): readonly string[] {
  return admin === false
    ? ['needs `admin`: add `admin: { onRequest }`']
    : faultsOfDashboard(dashboardOptions(dashboard, admin))
}

/** What is wrong with the options of one plugin, if it is not left out. */
function partFaults<Part>(name: string, given: Part | false, faults: (given: Part) => readonly string[]): string[] {
  if (given === false) return []
  if (typeof given === 'object' && !Array.isArray(given)) return placed(name, faults(given))
  return [`${name}: expected an object, true or false, got ${shownKind(given)}`]
}

function adminFaults(admin: AdminRoutesOptions | false): readonly string[] {
  if (admin !== (true as unknown)) return partFaults('admin', admin, faultsOfAdmin)
  return [
    'admin: `true` would be open to everyone: give a hook that checks who asks, `admin: { onRequest }`, or write `admin: { insecure: true }` where only operators can reach it',
  ]
}

/** `true` would have no secret. */
function stickyFaults(sticky: StickyOptions | false, policy: CoreOptions['policy']): readonly string[] {
  if (sticky !== (true as unknown)) return partFaults('sticky', sticky, (one) => faultsOfSticky(one, policy))
  return ["sticky: needs a secret: `sticky: { secret: ['…'] }`"]
}

/** What no plugin knows: their own options are asked for by name. */
function unknownFaults(given: object): readonly string[] {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(BalancerOptions.properties, name))
  return unknown.map((name) => `${name}: ${unknownOption(name, BalancerOptions)}`)
}

/** Every fault of the options of all plugins together, one line each. */
export function faultsOfRegister(given: BalancerOptions): readonly string[] {
  const {
    core,
    sticky,
    healthCheck,
    circuitBreaker,
    adaptiveLimit,
    mirror,
    metrics,
    admin,
    dashboard,
    fleet,
    underPressure,
  } = pluginOptions(given)
  const known = Object.entries(core).filter(([name]) => Object.hasOwn(BalancerOptions.properties, name))
  return [
    ...unknownFaults(core),
    ...faultsOfOptions(Object.fromEntries(known), policies),
    ...stickyFaults(sticky, core.policy),
    ...partFaults('healthCheck', healthCheck, faultsOfCheck),
    ...partFaults('circuitBreaker', circuitBreaker, faultsOfBreaker),
    ...partFaults('adaptiveLimit', adaptiveLimit, faultsOfLimits),
    // Not `true`: a mirror needs an address.
    ...(mirror === false ? [] : placed('mirror', faultsOfMirror(mirror))),
    ...partFaults('metrics', metrics, faultsOfMetrics),
    ...adminFaults(admin),
    ...partFaults('dashboard', dashboard, (page) => pageFaults(page, admin)),
    ...partFaults('fleet', fleet, faultsOfFleet),
    ...partFaults('underPressure', underPressure, faultsOfUnderPressure),
  ]
}

/**
 * Validates the options of all plugins together.
 * @throws BadOptionsError naming every fault
 */
export function check(options: BalancerOptions): void {
  const faults = faultsOfRegister(options)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
}
