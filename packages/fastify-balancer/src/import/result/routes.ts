import { bare, type TreeObject } from './draft.ts'

/** A balancer in the making: which requests are its own, and the rest of its options. */
export interface Route {
  /** What it is called if nothing else is. */
  readonly name: string
  /** Hosts that it is for; none = any. */
  readonly hosts: readonly string[]
  /** Without a slash at its end, unless it is `/`. */
  readonly prefix: string
  readonly options: TreeObject
}

/** A prefix without the slash at its end. */
export function prefixOf(path: string): string {
  return path.replace(/\/+$/, '') || '/'
}

/** Are all paths of the first below the other? */
export function isBelow(prefix: string, other: string): boolean {
  return other === '/' || prefix === other || prefix.startsWith(`${other}/`)
}

const nameOf = (text: string) => text.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'default'

/** A name that no other has: that of the backends, with the prefix, the host or a number where it is taken. */
function uniqueName({ name, prefix }: Route, host: string | undefined, taken: ReadonlySet<string>): string {
  const below = name.endsWith(prefix) ? name : name + prefix
  const candidates = [name, below, `${below} ${host ?? ''}`].map(nameOf)
  const free = candidates.find((one) => !taken.has(one))
  if (free !== undefined) return free
  for (let number = 2; ; number++) if (!taken.has(`${candidates[0]}-${number}`)) return `${candidates[0]}-${number}`
}

const sameHosts = (one: Route, other: Route) => one.hosts.join() === other.hosts.join()

/**
 * A balancer for a prefix below another one that does the same is needless, unless one for other hosts has a prefix
 * between them: the router would take that first.
 */
function isNeedless(route: Route, all: readonly Route[]): boolean {
  const around = all
    .filter((other) => other !== route && isBelow(route.prefix, other.prefix))
    .toSorted((one, other) => other.prefix.length - one.prefix.length)
  const same = around.find((other) => sameHosts(other, route))
  if (same === undefined || around.some(({ prefix }) => prefix.length > same.prefix.length)) return false
  return JSON.stringify(bare(same.options)) === JSON.stringify(bare(route.options))
}

function balancerOf({ prefix, options }: Route, host: string | undefined, name: string): TreeObject {
  return {
    name,
    prefix: prefix === '/' ? undefined : prefix,
    constraints: host === undefined ? undefined : { host },
    ...options,
  }
}

/** The balancers for these routes, one for each host: in our file, a balancer has one. */
export function balancersOf(routes: readonly Route[]): readonly TreeObject[] {
  const taken = new Set<string>()
  return routes
    .filter((route) => !isNeedless(route, routes))
    .flatMap((route) =>
      (route.hosts.length === 0 ? [undefined] : route.hosts).map((host) => {
        const name = uniqueName(route, host, taken)
        taken.add(name)
        return balancerOf(route, host, name)
      }),
    )
}
