import type { FastifyInstance } from 'fastify'
import { Server, type IncomingMessage } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'
import { Server as SecureServer } from 'node:tls'
import type { Balancer } from '../balancer.ts'
import { isPlainRoute } from '../paths/route-kin.ts'
import { ownersOf, routeKeyOf } from '../paths/unroutable.ts'
import { hasBody } from '../request/request-body.ts'
import { EarlyBytes } from '../tunnel/early-bytes.ts'
import { noteUpgrade, protocolsIn, takenOf } from '../request/upgrade-request.ts'
import { goFirst } from './first-listener.ts'
import type { Registry } from './registry.ts'
import { parseAgain } from './second-parse.ts'
import { Untouched } from './untouched-socket.ts'
import { responseTo, switchTo } from './upgrade-response.ts'
import { whenItsTurn } from './upgrade-turn.ts'

type Arguments = readonly [request: IncomingMessage, socket: Socket, head: Buffer]

const watched = new WeakSet<NetServer>()
/** For `localhost`, Fastify passes upgrades of its other servers on to the first. */
const taken = new WeakSet<IncomingMessage>()
/** Sockets without a listener for errors: a reset would end the process. */
function ignore(): void {}

/** Asks Node, from 24.9 on, which requests are upgrades. */
interface Asking {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean
}

/**
 * Requests to switch protocols. As soon as anybody listens for them, Node takes them all out of HTTP; and plugins that
 * listen, such as @fastify/websocket and @fastify/http-proxy, give them to the router again. Here each request goes one
 * way:
 * - on a balancer's route: to the app, and to nobody else, so that hooks run once;
 * - on another ordinary route, whose handler may forward it: to those who listen, and to the app if they leave it; only to
 *   the app beside @fastify/websocket, which would switch protocols on all routes;
 * - anything else: to those who listen, as if no balancer was there; to the app where nobody else listens.
 * What goes to the app to switch to a protocol that no balancer takes goes back to HTTP, as an ordinary request (RFC 9110
 * §7.8).
 */
class Upgrades {
  readonly #app: FastifyInstance
  readonly #registry: Registry
  readonly #server: NetServer
  readonly #onUpgrade = (...given: Arguments) => {
    if (!this.#hasOthers) this.#take(...given)
  }

  constructor(app: FastifyInstance, registry: Registry, server: NetServer) {
    this.#app = app
    this.#registry = registry
    this.#server = server
    const before = (server as Asking).shouldUpgradeCallback
    // oxlint-disable-next-line typescript/strict-boolean-expressions -- absent before Node 24.9
    if (before !== undefined)
      (server as Asking).shouldUpgradeCallback = (request) =>
        // One without a body is parsed again all the same: Node would lose what is pipelined behind it.
        before.call(server, request) && (!hasBody(request) || this.#isUpgrade(request))
    server.on('upgrade', this.#onUpgrade)
    // Keeps requests for the app alone from all others who listen.
    goFirst(server, 'upgrade', (given: Arguments, emit) => this.#share(given, emit))
  }

  /** Does anybody else listen? */
  get #hasOthers(): boolean {
    return this.#server.listenerCount('upgrade') > this.#server.listenerCount('upgrade', this.#onUpgrade)
  }

  /** Is it an ordinary route of the app? */
  #isPlain({ method = '' }: IncomingMessage, key: string | undefined): boolean {
    return key !== undefined && isPlainRoute(this.#app, method, key)
  }

  /** Does this request go to the app alone, past all others who listen? */
  #isOwn(request: IncomingMessage, key: string | undefined): boolean {
    if (ownersOf(this.#app, key).size > 0) return true
    return this.#app.hasDecorator('websocketServer') && this.#isPlain(request, key)
  }

  #isTaken({ headers }: IncomingMessage, balancers: Iterable<object>): boolean {
    const asked = protocolsIn(headers.upgrade)
    return [...balancers].some((one) => takenOf((one as Balancer).options.upgrade, asked).length > 0)
  }

  /** Is it one for the app, which some balancer takes? */
  #isForApp(request: IncomingMessage, key: string | undefined): boolean {
    const owners = ownersOf(this.#app, key)
    return this.#isTaken(request, owners.size > 0 ? owners : this.#registry.balancers.values())
  }

  /** Is it to be taken out of HTTP? */
  #isUpgrade(request: IncomingMessage): boolean {
    // A server must ignore it (RFC 9110 §7.8).
    if (request.httpVersion === '1.0') return false
    const key = routeKeyOf(this.#app, request)
    return (this.#hasOthers && !this.#isOwn(request, key)) || this.#isForApp(request, key)
  }

  /** Gives one to the app, or to all others who listen. */
  #share(given: Arguments, emit: () => boolean): boolean {
    const [request, socket, head] = given
    const key = routeKeyOf(this.#app, request)
    if (this.#isOwn(request, key)) {
      this.#take(...given)
      return true
    }
    if (!this.#hasOthers) return emit()
    const isPlain = this.#isPlain(request, key)
    // Another may give it to the app in its own way; then its handler can still forward it.
    if (isPlain) this.#note(request, socket, () => head)
    const untouched = new Untouched(socket)
    // @fastify/http-proxy gives what takes no route to the app, if nobody else listens.
    if (key === undefined) this.#server.off('upgrade', this.#onUpgrade)
    emit()
    if (key === undefined) this.#server.on('upgrade', this.#onUpgrade)
    if (isPlain && untouched.isStill) this.#take(...given)
    return true
  }

  /** `take` hands over what has come behind the request; it is called once. */
  #note(request: IncomingMessage, stream: Socket, take: () => Buffer): void {
    noteUpgrade(request, {
      protocols: protocolsIn(request.headers.upgrade),
      stream,
      get head() {
        return take()
      },
      isConnect: false,
      switchTo: (response, protocol, fields) => switchTo(response, stream, protocol, fields),
    })
  }

  #take(...given: Arguments): void {
    const [request, socket, head] = given
    if (taken.has(request)) return
    taken.add(request)
    // It may have one from an earlier request.
    for (const one of new Set([socket, request.socket])) one.off('error', ignore).on('error', ignore)
    whenItsTurn(request, socket, head, (early) => this.#begin(request, socket, early))
  }

  #begin(...given: Arguments): void {
    const [request, socket, head] = given
    if (request.httpVersion === '1.0' || !this.#isForApp(request, routeKeyOf(this.#app, request)))
      return parseAgain(this.#server, request, socket, head)
    // While hooks run it is read, too, so that a client that leaves is noticed.
    const early = new EarlyBytes(socket, head)
    this.#note(request, socket, () => Buffer.concat(early.take()))
    this.#server.emit('request', request, responseTo(request))
  }
}

/** Takes upgrades for the balancers of an app. */
export function takeUpgrades(app: FastifyInstance, registry: Registry, server: NetServer): void {
  // One of HTTP/2 over TLS may speak HTTP/1.1 as well (`allowHTTP1`).
  if (!(server instanceof Server || server instanceof SecureServer) || watched.has(server)) return
  watched.add(server)
  // oxlint-disable-next-line no-new -- it listens
  new Upgrades(app, registry, server)
}
