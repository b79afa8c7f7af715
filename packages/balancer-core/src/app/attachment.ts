import type { FastifyInstance } from 'fastify'
import type { Balancer } from '../balancer.ts'
import { continueWhenRead } from '../request/expect-continue.ts'
import { refuseVersions } from '../request/http-version.ts'
import { isUploading } from '../request/request-body.ts'
import { routeUnroutable } from '../paths/unroutable.ts'
import { lingerAfter } from '../response/lingering-close.ts'
import { decorate } from './decorators.ts'
import { takeConnects } from './extended-connect.ts'
import { keepAllFields } from './field-count.ts'
import { refuseExpectations } from './listener/expectations.ts'
import { Handshakes } from './listener/handshakes.ts'
import { Http1Connections } from './listener/http1-connections.ts'
import { Http2Sessions } from './listener/http2-sessions.ts'
import { limitAge } from './listener/connection-age.ts'
import { adviseOnLimits } from './listener/limit-advice.ts'
import { limitStreams } from './listener/stream-limits.ts'
import type { Registry } from './registry.ts'
import { eachServer } from './servers.ts'
import { closeWith } from './shutdown.ts'
import { takeUpgrades } from './upgrades.ts'

/** Prepares an app and its servers for a balancer that gets their requests, and closes both together. */
export function attach(app: FastifyInstance, balancer: Balancer, registry: Registry): void {
  decorate(app, registry)
  adviseOnLimits(app)
  const handshakes = new Handshakes()
  const connections = new Http1Connections()
  const sessions = new Http2Sessions()
  const servers = eachServer(app, (server) => {
    registry.servers.add(server)
    keepAllFields(server)
    refuseVersions(server)
    routeUnroutable(app, server)
    continueWhenRead(server)
    takeUpgrades(app, registry, server)
    takeConnects(app, registry, server)
    refuseExpectations(server)
    limitStreams(app, server)
    limitAge(server, registry.balancers)
    handshakes.observe(server)
    connections.observe(server)
    sessions.observe(server)
  })
  // A body that the app's parser refuses, e.g. as too large, is not read to its end either.
  app.addHook('onError', (request, reply, _error, done) => {
    if (request.raw.httpVersionMajor === 1 && isUploading(request)) lingerAfter(reply.raw)
    done()
  })
  closeWith(app, balancer, servers, { handshakes, connections, sessions })
}
