import type { FastifyInstance, HTTPMethods } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { RoutePattern } from './route-pattern.ts'

/** A pattern with the constraints of its routes, as JSON; none for a route without. */
export interface AppRoute {
  readonly pattern: RoutePattern
  readonly constraints: readonly (string | undefined)[]
}

/** Constraints, parsed from the JSON that Fastify prints; regular expressions are text in it. */
function constraintsOf(json: string | undefined): Record<string, unknown> {
  if (json === undefined) return {}
  try {
    return JSON.parse(json, (_key, value: unknown) => {
      const [, source, letters = ''] = (typeof value === 'string' && /^\/(.*)\/([a-z]*)$/s.exec(value)) || []
      return source === undefined ? value : new RegExp(source, letters)
    }) as Record<string, unknown>
  } catch {
    // Then they are unknown.
    return {}
  }
}

/** A line of the printed tree: bars for its depth, then its part of the pattern. */
const line = /^((?:│ {3}| {4})*)(?:├|└)── (.*)$/s

const mostReadings = 64

/** Parameters with different names that match alike are printed side by side: `:id|:name`. */
function firstName(part: string): string {
  let depth = 0
  for (let index = 0; index < part.length; index++) {
    if (part[index] === '\\') index++
    else if (part[index] === '(') depth++
    else if (part[index] === ')') depth--
    else if (depth === 0 && part.startsWith('|:', index)) return part.slice(0, index)
  }
  return part
}

/** A part of a pattern as Fastify prints it: an escaped colon (`::`) is printed as one. */
function readings(parts: readonly string[]): string[] {
  let texts = ['']
  for (const part of parts) {
    if (part === '(empty root node)') continue
    const fixed = part.replaceAll('%25', '%').replaceAll(':', '::')
    // A part that begins with a colon is either a parameter or an escaped colon.
    const choices = part.startsWith(':') ? [fixed, firstName(part)] : [fixed]
    texts = choices.flatMap((choice) => texts.map((text) => text + choice)).slice(0, mostReadings)
  }
  return texts
}

/** Reads the tree that an app prints for one method. */
function read(app: FastifyInstance, method: HTTPMethods): AppRoute[] {
  const mark = ` (${method})`
  const routes: (AppRoute & { constraints: (string | undefined)[] })[] = []
  const parts: string[] = []
  const taken = new Set<string>()
  let last: (string | undefined)[] | undefined
  for (const text of app.printRoutes({ method }).split('\n')) {
    const [, bars, rest = text] = line.exec(text) ?? []
    const at = rest.lastIndexOf(mark)
    const end = rest.slice(at + mark.length)
    const isRoute = at !== -1 && (end === '' || end.startsWith(' {'))
    const constraints = end === '' ? undefined : end.slice(1)
    if (bars === undefined) {
      // Another route of the same pattern, with other constraints.
      if (isRoute) last?.push(constraints)
      continue
    }
    parts.length = bars.length / 4
    parts.push(isRoute ? rest.slice(0, at) : rest)
    if (!isRoute) continue
    const texts = readings(parts)
    const asked = { method, constraints: constraintsOf(constraints) }
    // An escaped colon is printed before a parameter.
    const url =
      texts.length === 1
        ? texts[0]!
        : (texts.find((one) => !taken.has(one) && app.hasRoute({ ...asked, url: one })) ?? texts.at(-1)!)
    taken.add(url)
    last = [constraints]
    routes.push({ pattern: new RoutePattern(url), constraints: last })
  }
  return routes
}

function compare({ pattern: one }: AppRoute, { pattern: other }: AppRoute): number {
  return one.rank < other.rank ? -1 : one.rank > other.rank ? 1 : 0
}

/** Every route of an app, in all scopes, whenever it was registered. */
export class AppRoutes {
  readonly #app: FastifyInstance
  readonly #byMethod = new Map<string, readonly AppRoute[]>()

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /**
   * The routes of one method, in the order in which the router prefers them. Read from `printRoutes`: Fastify has no
   * other public way to list the routes of other scopes, or those registered earlier. The app must be ready.
   */
  of(method: string): readonly AppRoute[] {
    let known = this.#byMethod.get(method)
    if (known === undefined) {
      this.#byMethod.set(method, (known = read(this.#app, method).sort(compare)))
    }
    return known
  }
}

const byServer = new WeakMap<object, AppRoutes>()

/** The routes of the app that has this scope. */
export function routesOf(scope: FastifyInstance): AppRoutes {
  let routes = byServer.get(scope.server)
  if (routes === undefined) byServer.set(scope.server, (routes = new AppRoutes(scope)))
  return routes
}

/** Is it certain that these constraints are not met? Only `host` can be checked outside of the router. */
function areUnmet(constraints: string | undefined, headers: IncomingHttpHeaders): boolean {
  const { host } = constraintsOf(constraints)
  const given = headers.host ?? (headers[':authority'] as string | undefined) ?? ''
  if (host instanceof RegExp) return !new RegExp(host.source, host.flags.replaceAll(/[gy]/g, '')).test(given)
  return typeof host === 'string' && host !== given
}

/** Are all routes of this pattern ruled out, since each requires another host? */
export function isElsewhere({ constraints }: AppRoute, headers: IncomingHttpHeaders): boolean {
  return constraints.every((one) => areUnmet(one, headers))
}
