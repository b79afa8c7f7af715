import { within, type PlacedFault } from './document/fault.ts'
import { listenerFaults } from './listener-faults.ts'
import { registerFaults } from './register-faults.ts'
import { isPlain } from './schema/applied.ts'

type Part = Readonly<Record<string, unknown>>

const listOf = (value: unknown): readonly Part[] => (Array.isArray(value) ? value.filter(isPlain) : [])

function* balancerFaults(balancers: readonly Part[]): Generator<PlacedFault> {
  const names = new Map<unknown, number>()
  const routes = new Map<string, number>()
  for (const [index, balancer] of balancers.entries()) {
    const pointer = `/balancers/${index}`
    const { name = 'default', prefix = '/', constraints = {} } = balancer
    const route = JSON.stringify([
      String(prefix).replace(/\/+$/, ''),
      Object.entries(constraints as object).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ])
    const sameName = names.get(name)
    const sameRoute = routes.get(route)
    if (sameName !== undefined) {
      const none = balancer['name'] === undefined ? ', which is the name of one that is given none' : ''
      yield {
        pointer: within(pointer, 'name'),
        message: `balancers.${sameName} is called ${String(name)}, too${none}: give each a \`name\` of its own`,
      }
    } else names.set(name, index)
    if (sameRoute !== undefined)
      yield {
        pointer: within(pointer, 'prefix'),
        message: `balancers.${sameRoute} has the prefix ${String(prefix)}, too: give each a \`prefix\` or \`constraints.host\` of its own`,
      }
    else routes.set(route, index)
  }
}

const switched = (value: unknown) => (value === true ? {} : value)

/** What the plugins around the balancers would say of their options. */
function* partFaults({
  admin = false,
  metrics = false,
  dashboard = false,
  underPressure = false,
}: Part): Generator<PlacedFault> {
  if (isPlain(admin)) {
    const { token, basicAuth, insecure } = admin
    if (insecure === true && (token !== undefined || basicAuth !== undefined))
      yield {
        pointer: '/admin/insecure',
        message: 'allows access without `token` and `basicAuth`: remove one or the other',
      }
  }
  if (dashboard !== false && admin === false)
    yield { pointer: '/dashboard', message: 'needs `admin`: add `admin: true`, or one with a `token` or `basicAuth`' }
  const { token: _, basicAuth: __, listen: ___, ...adminRoutes } = isPlain(admin) ? admin : {}
  yield* registerFaults(
    {
      admin: admin === false ? false : adminRoutes,
      metrics: switched(metrics) as {} | false,
      dashboard: admin === false ? false : (switched(dashboard) as {} | false),
      underPressure: switched(underPressure) as {} | false,
    },
    '',
  )
}

/** What no schema can say about a file: what its parts mean to each other, and to the plugins. */
export function fileFaults(value: unknown): readonly PlacedFault[] {
  if (!isPlain(value)) return []
  const listeners = new Map(listOf(value['listen']).map((one, index) => [`/listen/${index}`, one]))
  const { admin } = value
  if (isPlain(admin) && isPlain(admin['listen'])) listeners.set('/admin/listen', admin['listen'])
  const balancers = listOf(value['balancers'])
  return [
    ...listenerFaults(listeners),
    ...balancerFaults(balancers),
    ...balancers.flatMap((balancer, index) => registerFaults(withoutTrue(balancer), `/balancers/${index}`)),
    ...partFaults(value),
  ]
}

/** `healthCheck: true` is what it is anyway; `adaptiveLimit: true` means its defaults. */
export function withoutTrue({ healthCheck, circuitBreaker, adaptiveLimit, ...balancer }: Part): Part {
  return {
    ...balancer,
    ...(healthCheck !== undefined && healthCheck !== true && { healthCheck }),
    ...(circuitBreaker !== undefined && circuitBreaker !== true && { circuitBreaker }),
    ...(adaptiveLimit !== undefined && { adaptiveLimit: switched(adaptiveLimit) }),
  }
}
