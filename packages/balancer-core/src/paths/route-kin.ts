import type { FastifyInstance, RouteOptions } from 'fastify'
import { subscribe } from 'node:diagnostics_channel'
import { patternsOf } from './route-pattern.ts'

/** What applies to a request on a route: its scope, its own hooks, and its handler. */
interface Course {
  readonly scope: FastifyInstance
  readonly hooks: readonly unknown[]
  readonly handler: unknown
  /** Settings that hooks may use, or that otherwise decide whether a request passes. */
  readonly settings: readonly unknown[]
}

/** A route as it was declared. */
interface Declared {
  readonly methods: readonly string[]
  /** Of its patterns. */
  readonly keys: readonly string[]
  readonly course: Course
  /** It is one of @fastify/websocket, which switches protocols itself. */
  readonly isWebSocket: boolean
}

/** As @fastify/websocket extends them. */
type WebSocketOptions = RouteOptions & { readonly websocket?: boolean; readonly wsHandler?: unknown }

const byServer = new WeakMap<object, Declared[]>()
const owners = new WeakMap<object, object>()

const hookNames = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

function declared(scope: FastifyInstance, options: WebSocketOptions): Declared {
  const hooks = hookNames.flatMap((name) => [name, options[name] ?? []].flat() as unknown[])
  const handler = owners.get(options.handler) ?? options.handler
  const settings = [options.config, options.schema, options.constraints]
  const isWebSocket = options.websocket === true || options.wsHandler !== undefined
  const keys = patternsOf(options.url).map(({ key }) => key)
  return { methods: [options.method].flat(), keys, course: { scope, hooks, handler, settings }, isWebSocket }
}

// For every app created from now on: a plugin would see only the routes that are registered after it.
subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance }
  const routes: Declared[] = []
  byServer.set(fastify.server, routes)
  fastify.addHook('onRoute', function (options) {
    routes.push(declared(this, options))
  })
})

/**
 * Is the route of this key an ordinary one? Not so those of @fastify/websocket and @fastify/http-proxy, which switch
 * protocols themselves, and those that were declared before this module was loaded.
 */
export function isPlainRoute({ server }: FastifyInstance, method: string, key: string): boolean {
  const known = (byServer.get(server) ?? []).filter(
    ({ methods, keys }) => methods.includes(method) && keys.includes(key),
  )
  // @fastify/http-proxy decorates its own scope, which contains nothing but its routes.
  return known.length > 0 && known.every((one) => !one.isWebSocket && !one.course.scope.hasReplyDecorator('wsProxy'))
}

/** Marks a handler: all handlers with the same owner do the same. */
export function setOwner(handler: object, owner: object): void {
  owners.set(handler, owner)
}

function areSame(one: Course, other: Course): boolean {
  if (one.scope !== other.scope || one.hooks.length !== other.hooks.length) return false
  if (!one.hooks.every((hook, index) => hook === other.hooks[index])) return false
  if (!one.settings.every((setting, index) => setting === other.settings[index])) return false
  // If hooks are the guard, it does not matter that each route has its own handler function.
  return one.handler === other.handler || one.hooks.length > hookNames.length
}

/**
 * The keys of all routes of a method with the same guards as those in `keys`, such as `/admin` and `/admin/*` with the
 * same hooks and settings in the same scope: it does not matter which of them a path means. For an app that was created
 * before this module was loaded: only `keys`.
 */
export function kinOf(scope: FastifyInstance, method: string, keys: ReadonlySet<string>): ReadonlySet<string> {
  const courses = new Map<string, Course[]>()
  for (const { methods, keys: declaredKeys, course } of byServer.get(scope.server) ?? [])
    if (methods.includes(method))
      for (const key of declaredKeys) courses.set(key, [...(courses.get(key) ?? []), course])
  const own = [...keys].flatMap((key) => courses.get(key) ?? [])
  const [first] = own
  const kin = new Set(keys)
  if (first === undefined || !own.every((course) => areSame(course, first))) return kin
  for (const [key, theirs] of courses) if (theirs.every((course) => areSame(course, first))) kin.add(key)
  return kin
}
