import type { BalancerConfiguration, Configuration, Listener } from './configuration.ts'
import { withoutTrue } from './file-faults.ts'
import { proxiesIn, trustedProxies } from './trusted-proxies.ts'

/** The value of a file whose variables and references are in their places, and which nothing is wrong with. */
interface FileValue {
  readonly workers?: Configuration['workers']
  readonly divideLimits?: boolean
  readonly listen?: readonly Listener[]
  readonly balancers: readonly Readonly<Record<string, unknown>>[]
  readonly admin?:
    | boolean
    | (Exclude<Configuration['admin'], false> & { readonly basicAuth?: { readonly file: string } })
  readonly metrics?: boolean | Exclude<Configuration['metrics'], false>
  readonly dashboard?: boolean | Exclude<Configuration['dashboard'], false>
  readonly underPressure?: boolean | Exclude<Configuration['underPressure'], false>
  readonly log?: Configuration['log']
}

function switched<Options extends object>(given: boolean | Options): Options | false {
  return given === true ? ({} as Options) : given
}

function listenerOf({ trustProxy, ...listener }: Listener): Listener {
  if (trustProxy === undefined) return listener
  return {
    ...listener,
    trustProxy: typeof trustProxy === 'boolean' ? trustProxy : trustedProxies(proxiesIn(trustProxy)),
  }
}

/** What a file describes, as it is run. */
export function configurationOf(value: unknown): Configuration {
  const { listen = [{ port: 8080 }], balancers, admin = false, ...rest } = value as FileValue
  const { workers, divideLimits, metrics = false, dashboard = false, underPressure = false, log = {} } = rest
  const { basicAuth, listen: ownListener, ...adminRoutes } = typeof admin === 'boolean' ? {} : admin
  return {
    ...(workers !== undefined && { workers }),
    ...(divideLimits !== undefined && { divideLimits }),
    listen: listen.map(listenerOf),
    balancers: balancers.map((one) => withoutTrue(one) as BalancerConfiguration),
    admin:
      admin === false
        ? false
        : {
            ...adminRoutes,
            ...(ownListener !== undefined && { listen: listenerOf(ownListener) }),
            ...(basicAuth !== undefined && { basicAuth: basicAuth.file }),
          },
    metrics: switched(metrics),
    dashboard: switched(dashboard),
    underPressure: switched(underPressure),
    log,
  }
}
