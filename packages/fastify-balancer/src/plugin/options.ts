import { AdminRoutesOptions, faultsOfOptions as faultsOfAdmin } from '@fastify-balancer/admin-routes'
import { BadOptionsError, BalancerOptions as CoreOptions, faultsOfOptions } from '@fastify-balancer/balancer-core'
import { CircuitBreakerOptions, faultsOfOptions as faultsOfBreaker } from '@fastify-balancer/circuit-breaker'
import { faultsOfOptions as faultsOfDashboard } from '@fastify-balancer/dashboard'
import { faultsOfOptions as faultsOfCheck, HealthCheckOptions } from '@fastify-balancer/health-check'
import { faultsOfOptions as faultsOfMetrics, MetricsOptions } from '@fastify-balancer/metrics'
import { code, hosts, strict } from '@fastify-balancer/option-schema'
import { Type, type TObject } from '@sinclair/typebox'
import { dashboardOptions, type FacadeDashboardOptions } from './dashboard-options.ts'
import { faultsOfUnderPressure, UnderPressureOptions } from './under-pressure.ts'

const checkOptions = Type.Omit(HealthCheckOptions, ['balancer'])
const breakerOptions = Type.Omit(CircuitBreakerOptions, ['balancer'])

/** What follows from `admin`, see `dashboardOptions`, has no default of its own here. */
export const pageOptions = Type.Object(
  {
    path: Type.String({ description: 'Where the page is; `dashboard` below the prefix of `admin` if not given' }),
    onRequest: code<unknown>('Hooks that check who asks; those of `admin` for whoever may look if not given'),
    insecure: Type.Boolean({ description: 'Allow access without authentication; as `admin` does if not given' }),
    hosts: hosts('Host names at which the page answers; those of `admin` if not given'),
  },
  strict,
)

/** Everything that `register` takes, for the README: the core's options and those of the plugins around it. `check` lets each plugin validate its part. */
export const BalancerOptions: TObject = Type.Object(
  {
    ...CoreOptions.properties,
    healthCheck: checkOptions,
    circuitBreaker: breakerOptions,
    metrics: MetricsOptions,
    admin: AdminRoutesOptions,
    dashboard: pageOptions,
    underPressure: UnderPressureOptions,
  },
  strict,
)

/** What `register` takes: everything optional, nested objects in part; `false` leaves a plugin out. */
export interface BalancerOptions extends CoreOptions {
  readonly healthCheck?: Omit<HealthCheckOptions, 'balancer'> | false
  readonly circuitBreaker?: Omit<CircuitBreakerOptions, 'balancer'> | false
  /** Off by default. Of all balancers of the server: for one of them only. Open to all unless its `onRequest` says otherwise. */
  readonly metrics?: MetricsOptions | false
  /** Off by default. Of all balancers of the server: for one of them only. */
  readonly admin?: AdminRoutesOptions | false
  /** Off by default. It needs `admin`, whose `prefix` and hooks it takes over: for who may look at those, below them. */
  readonly dashboard?: FacadeDashboardOptions | false
  /** Off by default. Of the whole process: for one balancer only, and not beside @fastify/under-pressure of the app's own. */
  readonly underPressure?: UnderPressureOptions | false
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

/** Every fault of the options of all plugins together, one line each. */
export function faultsOfRegister({
  healthCheck = {},
  circuitBreaker = {},
  metrics = false,
  admin = false,
  dashboard = false,
  underPressure = false,
  ...options
}: BalancerOptions): readonly string[] {
  return [
    ...faultsOfOptions(options),
    ...(healthCheck === false ? [] : placed('healthCheck', faultsOfCheck(healthCheck))),
    ...(circuitBreaker === false ? [] : placed('circuitBreaker', faultsOfBreaker(circuitBreaker))),
    ...(metrics === false ? [] : placed('metrics', faultsOfMetrics(metrics))),
    ...(admin === false ? [] : placed('admin', faultsOfAdmin(admin))),
    ...(dashboard === false ? [] : placed('dashboard', pageFaults(dashboard, admin))),
    ...(underPressure === false ? [] : placed('underPressure', faultsOfUnderPressure(underPressure))),
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
