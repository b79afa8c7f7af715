import { KnownHosts, quoted } from '@fastify-balancer/option-schema'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { readBodies } from './requests/bodies.ts'
import { serializerCompiler, validatorCompiler } from './requests/compilers.ts'
import { Desk } from './desk.ts'
import { answerErrors } from './requests/error-answer.ts'
import { addEvents } from './routes/events.ts'
import { UnknownHostError } from './errors.ts'
import { guardsOf, parseOptions, type AdminRoutesOptions, type Guards, type ParsedOptions } from './options.ts'
import { revisionsOf } from './changes/revisions.ts'
import { addBackendRead, addBackendWrite } from './routes/backend.ts'
import { addBackendsRead, addBackendsWrite } from './routes/backends.ts'
import { addBalancers } from './routes/balancers.ts'
import { addCatchAll } from './routes/catch-all.ts'
import { addCircuit } from './routes/circuit.ts'
import { addExplain } from './routes/explain.ts'
import { addInstances } from './routes/instances/instances.ts'
import { addRestart } from './routes/instances/restart.ts'
import { addOperator } from './routes/operator.ts'
import { addFailures } from './routes/past/failures.ts'
import { addHistory } from './routes/past/history.ts'
import { addProbe } from './routes/probe.ts'
import { addReadiness } from './routes/readiness.ts'
import { addReload } from './routes/reload.ts'
import { addRollback } from './routes/rollback.ts'
import { addServerRead, addServerWrite } from './routes/server.ts'
import { addState } from './routes/state.ts'
import { addTunnelsRead, addTunnelsWrite } from './routes/tunnels.ts'
import { addWait } from './routes/wait.ts'
import { WrittenView } from './views/written-view.ts'
import { SameOrigin } from './requests/same-origin.ts'

type Role = 'read' | 'operate'

const readers = [
  addBalancers,
  addBackendsRead,
  addBackendRead,
  addWait,
  addTunnelsRead,
  addHistory,
  addFailures,
  addExplain,
  addServerRead,
  addInstances,
  addEvents,
  addCatchAll,
]
const writers = [
  addOperator,
  addBackendsWrite,
  addBackendWrite,
  addState,
  addProbe,
  addCircuit,
  addTunnelsWrite,
  addReload,
  addRollback,
  addServerWrite,
  addRestart,
]

function guard(scope: FastifyInstance, { onRequest, preHandler }: Guards): void {
  for (const hook of onRequest) scope.addHook('onRequest', hook)
  for (const hook of preHandler) scope.addHook('preHandler', hook)
}

/** Without authentication, `Host` must be a known name of this server (DNS rebinding). */
function checkHosts(scope: FastifyInstance, { insecure, hosts }: ParsedOptions): void {
  if (!insecure && hosts === undefined) return
  const known = new KnownHosts(hosts)
  scope.addHook('onRequest', (request, _reply, done) => {
    const unknown = known.unknownIn(request)
    done(unknown === undefined ? undefined : new UnknownHostError(quoted(unknown.slice(0, 200))))
  })
}

/** How all routes read requests and answer them, independent of the app's own settings. */
function prepare(scope: FastifyInstance, desk: Desk): void {
  scope.setValidatorCompiler(validatorCompiler)
  scope.setSerializerCompiler(serializerCompiler)
  // The app's own reply serializer would run instead of ours.
  scope.setReplySerializer(null as never)
  scope.setErrorHandler(answerErrors(desk))
  readBodies(scope, desk.options.bodyLimit)
  scope.addHook('onRoute', (route) => {
    // Validation errors are reported only after authentication.
    route.attachValidation = true
    route.bodyLimit = desk.options.bodyLimit
    // Read by @fastify/under-pressure: an overloaded process must stay operable.
    route.config = Object.assign({ pressureHandler: () => undefined }, route.config)
  })
  scope.addHook('onRequest', (_request, reply, done) => {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    done()
  })
  scope.addHook('preSerialization', (_request, reply, view, done) => {
    if (view instanceof WrittenView && view.tag !== undefined && !reply.hasHeader('etag'))
      void reply.header('etag', view.tag)
    done(null, view)
  })
  checkHosts(scope, desk.options)
}

/** Finds out who makes a change, after authentication; if that needs no body, a body that cannot be read is an operator's, too. */
function identify(scope: FastifyInstance, { audit, options }: Desk): void {
  const needsBody = guardsOf(options).preHandler.length + guardsOf(options.operate).preHandler.length > 0
  if (!needsBody) scope.addHook('onRequest', async (request) => audit.admit(request))
  scope.addHook('preHandler', async (request) => audit.identify(request))
}

/** The last hook before the handler. */
function refuseInvalid(scope: FastifyInstance): void {
  scope.addHook('preHandler', (request, _reply, done) => done(request.validationError as Error | undefined))
}

/** The routes of one role. */
async function roleRoutes(scope: FastifyInstance, { desk, role }: { desk: Desk; role: Role }): Promise<void> {
  const { options } = desk
  const sameOrigin = new SameOrigin(options.origins)
  guard(scope, guardsOf(options[role]))
  scope.addHook('onRequest', async (request) => sameOrigin.check(request))
  if (role === 'operate') identify(scope, desk)
  refuseInvalid(scope)
  if (role === 'operate' && desk.instances.fleet !== undefined)
    scope.addHook('preHandler', async (request) => desk.catchUp(request))
  if (role === 'operate') {
    scope.addHook('preSerialization', async (request) => desk.saved(request))
    for (const add of writers) add(scope, desk)
    return
  }
  for (const add of readers) add(scope, desk)
  if (!options.openProbes) addReadiness(scope, desk)
}

async function guardedRoutes(scope: FastifyInstance, { desk }: { desk: Desk }): Promise<void> {
  guard(scope, guardsOf(desk.options))
  await scope.register(roleRoutes, { desk, role: 'read' as const })
  await scope.register(roleRoutes, { desk, role: 'operate' as const })
}

async function allRoutes(scope: FastifyInstance, { desk }: { desk: Desk }): Promise<void> {
  prepare(scope, desk)
  await scope.register(guardedRoutes, { desk })
  if (desk.options.openProbes) await scope.register(async (open) => addReadiness(open, desk))
}

async function plugin(app: FastifyInstance, given: AdminRoutesOptions): Promise<void> {
  const options = parseOptions(given)
  if (options.insecure)
    app.log.warn(
      `admin routes at ${options.prefix} need no authentication (insecure): anyone who reaches them has full control`,
    )
  const desk = new Desk(app, options)
  // At once, before the configured backends are used or probed.
  await desk.restore()
  // Balancers may be registered until the app is ready.
  app.addHook('onReady', async () => {
    await desk.restore()
    await desk.settle()
    for (const balancer of desk.balancers.values()) revisionsOf(balancer)
  })
  app.addHook('onClose', async () => desk.close())
  await app.register(allRoutes, { prefix: options.prefix, desk })
}

/** `fastify.register(adminRoutes, options)`, after a balancer. */
export const adminRoutes = fp(plugin, {
  fastify: '5.x',
  name: '@fastify-balancer/admin-routes',
  decorators: { fastify: ['balancers'] },
})
