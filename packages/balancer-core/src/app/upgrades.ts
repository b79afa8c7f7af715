import type { FastifyInstance } from 'fastify'
import { Server, type IncomingMessage } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Server as NetServer, Socket } from 'node:net'
import type { Balancer } from '../balancer.ts'
import { ownersOf } from '../paths/unroutable.ts'
import { hasBody } from '../request/request-body.ts'
import { EarlyBytes } from '../tunnel/early-bytes.ts'
import { noteUpgrade, protocolsIn, takenOf } from '../request/upgrade-request.ts'
import type { Registry } from './registry.ts'
import { parseAgain } from './second-parse.ts'
import { responseTo } from './upgrade-response.ts'
import { whenItsTurn } from './upgrade-turn.ts'

type Arguments = readonly [request: IncomingMessage, socket: Socket, head: Buffer]

const watched = new WeakSet<Server>()
/** Sockets without a listener for errors: a reset would end the process. */
function ignore(): void {}

/** Asks Node, from 24.9 on, which requests are upgrades. */
interface Asking {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean
}

/**
 * Requests to switch protocols. As soon as anybody listens for them, Node takes them all out of HTTP; and plugins that
 * listen, such as @fastify/websocket and @fastify/http-proxy, give each of them to the router again. Here each request goes
 * one way:
 * - to a protocol that a balancer takes, on its route: to the app, and to nobody else, so that hooks run once;
 * - to another protocol, or where nobody else listens: back to HTTP, as an ordinary request (RFC 9110 §7.8);
 * - anything else: to those who listen.
 */
class Upgrades {
  readonly #app: FastifyInstance
  readonly #registry: Registry
  readonly #server: Server
  readonly #taken = new WeakSet<IncomingMessage>()
  readonly #onUpgrade = (...given: Arguments) => this.#take(...given)

  constructor(app: FastifyInstance, registry: Registry, server: Server) {
    this.#app = app
    this.#registry = registry
    this.#server = server
    const before = (server as Asking).shouldUpgradeCallback
    // oxlint-disable-next-line typescript/strict-boolean-expressions -- absent before Node 24.9
    if (before !== undefined)
      (server as Asking).shouldUpgradeCallback = (request) =>
        // One without a body is parsed again all the same: Node would lose what is pipelined behind it.
        before.call(server, request) && (!hasBody(request) || this.#isUpgrade(request))
    server.on('newListener', (event: string) => {
      if (event === 'upgrade') this.#goFirst()
    })
    if (server.listenerCount('upgrade') > 0) this.#goFirst()
    server.on('upgrade', this.#onUpgrade)
  }

  /** Does anybody else listen? */
  get #hasOthers(): boolean {
    return this.#server.listenerCount('upgrade') > 1
  }

  /** The balancers whose own route a request takes; none if it takes another. */
  #ownersOf(request: IncomingMessage): ReadonlySet<object> {
    return ownersOf(this.#app, request)
  }

  #isTaken({ headers }: IncomingMessage, balancers: Iterable<object>): boolean {
    const asked = protocolsIn(headers.upgrade)
    return [...balancers].some((one) => takenOf((one as Balancer).options.upgrade, asked).length > 0)
  }

  /** Is it to be taken out of HTTP? */
  #isUpgrade(request: IncomingMessage): boolean {
    // A server must ignore it (RFC 9110 §7.8).
    if (request.httpVersion === '1.0') return false
    const owners = this.#ownersOf(request)
    if (owners.size > 0) return this.#isTaken(request, owners)
    return this.#hasOthers || this.#isTaken(request, this.#registry.balancers.values())
  }

  /** Keeps requests for balancers' routes from all others who listen: an emitter has no other way. */
  #goFirst(): void {
    const server = this.#server
    if (Object.hasOwn(server, 'emit')) return
    const emit = server.emit.bind(server) as (...given: unknown[]) => boolean
    server.emit = (event: string, ...given: unknown[]) =>
      (event === 'upgrade' && this.#takesFirst(given as never)) || emit(event, ...given)
  }

  #takesFirst([request, socket, head]: Arguments): boolean {
    if (this.#ownersOf(request).size === 0) {
      // A route of the app may forward it, once one of those who listen has given it to the router.
      noteUpgrade(request, { protocols: protocolsIn(request.headers.upgrade), stream: socket, head })
      return false
    }
    this.#take(request, socket, head)
    return true
  }

  #take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#taken.has(request)) return
    const isOwn = this.#ownersOf(request).size > 0
    if (!isOwn && this.#hasOthers) return
    this.#taken.add(request)
    // It may have one from an earlier request.
    for (const one of new Set([socket, request.socket])) one.off('error', ignore).on('error', ignore)
    whenItsTurn(request, socket, head, (early) => this.#begin(request, socket, early))
  }

  #begin(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (!this.#isUpgrade(request)) return parseAgain(this.#server, request, socket, head)
    // While hooks run it is read, too, so that a client that leaves is noticed.
    const early = new EarlyBytes(socket, head)
    noteUpgrade(request, {
      protocols: protocolsIn(request.headers.upgrade),
      stream: socket,
      get head() {
        return Buffer.concat(early.take())
      },
    })
    this.#server.emit('request', request, responseTo(request))
  }
}

/** Takes upgrades for the balancers of an app. */
export function takeUpgrades(app: FastifyInstance, registry: Registry, server: NetServer): void {
  if (!(server instanceof Server || server instanceof SecureServer) || watched.has(server)) return
  watched.add(server)
  // oxlint-disable-next-line no-new -- it listens
  new Upgrades(app, registry, server)
}
