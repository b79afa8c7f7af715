// Room `paths`: makes sure that a path means the same route to the app and to backends.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { isElsewhere, routesOf, type AppRoute } from './app-routes.ts'
import { asRouted, hasDotSegments, spellingsOf, withoutQuery, type RouterHabits } from './path-spellings.ts'
import { kinOf } from './route-kin.ts'
import { patternsOf } from './route-pattern.ts'

/**
 * A path with only one spelling, apart from letter case: no empty segments, none that ends in a dot, nothing encoded.
 */
const plain = /^(?:\/[^%\\;/?]*[^%\\;/?.])+(?:\?|$)/

interface RouterOptions {
  readonly maxParamLength?: number
  readonly ignoreDuplicateSlashes?: boolean
  readonly useSemicolonDelimiter?: boolean
}

/** Fastify accepts these options in both places. */
function optionsOf({ initialConfig }: FastifyInstance): readonly (RouterOptions | undefined)[] {
  return [initialConfig, (initialConfig as { routerOptions?: RouterOptions }).routerOptions]
}

function habitsOf(scope: FastifyInstance): RouterHabits {
  const places = optionsOf(scope)
  return {
    mergesSlashes: places.some((options) => options?.ignoreDuplicateSlashes === true),
    cutsAtSemicolon: places.some((options) => options?.useSemicolonDelimiter === true),
  }
}

/** Fastify's defaults. */
const usualParamLength = 100

/**
 * The router skips a route with a longer parameter. Missing options are filled with defaults, so it is not always clear
 * which of the two values counts.
 */
function paramLimitsOf(scope: FastifyInstance): { readonly least: number; readonly most: number } {
  const [above = usualParamLength, own = above] = optionsOf(scope).map((options) => options?.maxParamLength)
  if (own !== usualParamLength) return { least: own, most: own }
  return { least: Math.min(above, own), most: Math.max(above, own) }
}

/** Char codes of the first letters of segments, in both cases; all codes if a segment is not fixed. */
function lettersOf(segments: readonly (string | undefined)[]): readonly number[] {
  if (segments.includes(undefined)) return Array.from({ length: 256 }, (_, code) => code)
  return segments.flatMap((segment) => [segment!.charCodeAt(0), segment!.toUpperCase().charCodeAt(0)])
}

/** The routes of one method, relative to the route of the request. */
class Outlook {
  readonly #routes: readonly AppRoute[]
  /** The route itself, and those with the same guards. */
  readonly #own: ReadonlySet<AppRoute>
  /**
   * Other routes that the router would prefer, by the first segment of their pattern; undefined for patterns without a
   * fixed one.
   */
  readonly #preferred = new Map<string | undefined, AppRoute[]>()
  /** Char codes that their paths may begin with: most paths need no further check. */
  readonly #firstLetters: ReadonlySet<number>
  /** Any path means the route itself. */
  readonly #isAlone: boolean
  readonly #isKnown: boolean
  readonly #habits: RouterHabits
  readonly #paramLimits: ReturnType<typeof paramLimitsOf>

  constructor(scope: FastifyInstance, method: string, url: string | undefined) {
    this.#habits = habitsOf(scope)
    this.#paramLimits = paramLimitsOf(scope)
    const keys = new Set(url === undefined ? [] : patternsOf(url).map(({ key }) => key))
    const routes = routesOf(scope).of(method)
    const kin = kinOf(scope, method, keys)
    this.#routes = routes
    this.#own = new Set(routes.filter(({ pattern: { key } }) => kin.has(key)))
    this.#isKnown = url === undefined || routes.some(({ pattern: { key } }) => keys.has(key))
    this.#isAlone = routes.length === this.#own.size && keys.has('/*')
    const last = routes.findLastIndex((route) => this.#own.has(route))
    for (const route of url === undefined ? routes : routes.slice(0, Math.max(last, 0))) {
      if (this.#own.has(route)) continue
      const { firstSegment } = route.pattern
      this.#preferred.set(firstSegment, [...(this.#preferred.get(firstSegment) ?? []), route])
    }
    this.#firstLetters = new Set(lettersOf([...this.#preferred.keys()]))
  }

  faultOf(given: string, headers: IncomingHttpHeaders): string | undefined {
    const isPlain = plain.test(given)
    if (isPlain && !this.#firstLetters.has(given.charCodeAt(1))) return undefined
    const path = withoutQuery(given)
    if (isPlain) return this.#mayDiffer(path) ? this.#faultAmong([path], path, headers) : undefined
    if (hasDotSegments(path)) return 'dot segments in its path'
    if (this.#isAlone) return undefined
    if (!this.#isKnown) return 'its route cannot be distinguished from others, and its path has several spellings'
    return this.#faultAmong(spellingsOf(path, this.#habits), path, headers)
  }

  /** Could a plain path mean another route? */
  #mayDiffer(path: string): boolean {
    const slash = path.indexOf('/', 1)
    const first = (slash === -1 ? path.slice(1) : path.slice(1, slash)).toLowerCase()
    const resembles = ({ pattern }: AppRoute) => pattern.resembles(path)
    return (
      this.#preferred.get(first)?.some(resembles) === true || this.#preferred.get(undefined)?.some(resembles) === true
    )
  }

  #faultAmong(spellings: Iterable<string>, path: string, headers: IncomingHttpHeaders): string | undefined {
    const routed = asRouted(path)
    // The router has skipped these: because of their constraints, or the length of a parameter.
    const { least, most } = this.#paramLimits
    const isPassedOver = (route: AppRoute) => isElsewhere(route, headers) || route.pattern.matches(routed)
    const passedOver = new Set([...this.#preferred.values()].flat().filter(isPassedOver))
    // In another spelling the parameter may be short enough, as in `/users/1;aaaa…`.
    const mayFit = (route: AppRoute, spelling: string) =>
      path.length > least && !isElsewhere(route, headers) && !route.pattern.exceeds(spelling, most)
    for (const spelling of spellings) {
      const isOpen = (route: AppRoute) => !passedOver.has(route) || (spelling !== path && mayFit(route, spelling))
      const route = this.#routes.find((one) => isOpen(one) && one.pattern.resembles(spelling))
      if (route === undefined ? this.#own.size > 0 : !this.#own.has(route))
        return `its path may mean ${spelling}, which is ${route === undefined ? 'no route' : `of the route ${route.pattern.text}`}`
    }
    return undefined
  }
}

/** Makes sure that a path means the same route to backends as to the app's router. */
export class PathGuard {
  readonly #scope: FastifyInstance
  readonly #url: string | undefined
  readonly #outlooks = new Map<string, Outlook>()
  readonly #outlooksOfMade = new Map<string, Outlook>()

  /** `url` is the pattern of the route; undefined for the not-found handler. */
  constructor(scope: FastifyInstance, url: string | undefined) {
    this.#scope = scope
    this.#url = url
  }

  /**
   * Why a path, with or without a query, must not be forwarded: it may mean another route of the app. Undefined if it
   * may be forwarded.
   */
  faultOf(method: string, path: string, headers: IncomingHttpHeaders): string | undefined {
    let outlook = this.#outlooks.get(method)
    if (outlook === undefined) this.#outlooks.set(method, (outlook = new Outlook(this.#scope, method, this.#url)))
    return outlook.faultOf(path, headers)
  }

  /** The same for a path that the app has set: all its meanings must belong to the route that it would take itself. */
  faultOfMade(method: string, path: string, headers: IncomingHttpHeaders): string | undefined {
    const routed = asRouted(withoutQuery(path))
    const routes = routesOf(this.#scope).of(method)
    const { most } = paramLimitsOf(this.#scope)
    const isTaken = (one: AppRoute) =>
      !isElsewhere(one, headers) && one.pattern.matches(routed) && !one.pattern.exceeds(routed, most)
    const route = routes.find(isTaken)?.pattern.text
    const place = `${method} ${route}`
    let outlook = this.#outlooksOfMade.get(place)
    if (outlook === undefined) this.#outlooksOfMade.set(place, (outlook = new Outlook(this.#scope, method, route)))
    return outlook.faultOf(path, headers)
  }
}

/** The guard of the route that a request has taken. */
export function guardOf({ server, routeOptions }: FastifyRequest): PathGuard {
  return new PathGuard(server, routeOptions.url)
}
