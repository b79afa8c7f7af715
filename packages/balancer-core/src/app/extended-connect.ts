import type { FastifyInstance } from 'fastify'
import { Server, type IncomingMessage, type ServerResponse } from 'node:http'
import type {
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  OutgoingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2'
import { Server as SecureServer } from 'node:https'
import type { Server as NetServer } from 'node:net'
import type { Balancer } from '../balancer.ts'
import { stopUploadAfter } from '../exchange/closing/upload-stop.ts'
import { ownersOf, routeKeyOf } from '../paths/unroutable.ts'
import { noteUpgrade, takenOf } from '../request/upgrade-request.ts'
import { openingFields } from '../tunnel/switching-response.ts'
import { goFirst } from './first-listener.ts'
import type { Registry } from './registry.ts'

type Arguments = readonly [request: Http2ServerRequest, response: Http2ServerResponse]

const websocket = 'websocket'
const watched = new WeakSet<NetServer>()

/** Does this balancer open WebSockets? */
function opensWebSockets(balancer: object): boolean {
  const { upgrade } = (balancer as Balancer).options
  return upgrade.protocols.length > 0 && takenOf(upgrade, [websocket]).length > 0
}

/** A client whose request was answered has nothing more to say, but Node would keep its stream open. */
function closeAfter(response: Http2ServerResponse): void {
  stopUploadAfter(response as unknown as ServerResponse)
}

function refuse(response: Http2ServerResponse, status: 405 | 501): void {
  closeAfter(response)
  response.statusCode = status
  response.end()
}

/**
 * To this request, a success says that the WebSocket is open (RFC 8441 §5): what the app answers of itself is not that.
 * Returns how to say it.
 */
function guard(stream: ServerHttp2Stream): ServerHttp2Stream['respond'] {
  const respond = stream.respond.bind(stream)
  stream.respond = (fields, options) => {
    const { ':status': status = 200 } = fields as OutgoingHttpHeaders
    const isSuccess = Number(status) >= 200 && Number(status) < 300
    respond(isSuccess ? { ...(fields as OutgoingHttpHeaders), ':status': 501 } : fields, options)
  }
  return respond
}

/**
 * Extended CONNECT (RFC 8441): WebSockets of HTTP/2 clients. Node gives each CONNECT to those who listen, and to nobody
 * else. Here each goes one way:
 * - for a WebSocket, on a balancer's route: to the app, as GET, and to nobody else, so that hooks run once;
 * - anything else: to the others who listen, if there are any;
 * - for a WebSocket, on the app's own routes: to the app, which may forward it;
 * - for another protocol: 501; without a protocol: 405, as Node does by itself.
 */
class ExtendedConnects {
  readonly #app: FastifyInstance
  readonly #registry: Registry
  readonly #server: Http2Server | Http2SecureServer
  /** Once said, it cannot be taken back (RFC 8441 §3). */
  #isAnnounced = false

  constructor(app: FastifyInstance, registry: Registry, server: Http2Server | Http2SecureServer) {
    this.#app = app
    this.#registry = registry
    this.#server = server
    // The settings of a connection are sent when Node's own listener gets it.
    server.prependListener('connection', () => this.#announce())
    server.on('connect', (...given: Arguments) => this.#answer(...given))
    goFirst(server, 'connect', (given: Arguments, emit) => {
      if (!this.#isOwn(given[0])) return emit()
      this.#route(...given)
      return true
    })
  }

  /** Tells clients that they may ask. Other settings stay as they are. */
  #announce(): void {
    if (this.#isAnnounced || ![...this.#registry.balancers.values()].some(opensWebSockets)) return
    this.#isAnnounced = true
    this.#server.updateSettings({ enableConnectProtocol: true })
  }

  /** The balancers whose own route a request takes; none if it takes another. */
  #ownersOf({ url, headers }: Http2ServerRequest): ReadonlySet<object> {
    return ownersOf(this.#app, routeKeyOf(this.#app, { method: 'GET', url, headers }))
  }

  #isOwn(request: Http2ServerRequest): boolean {
    return request.headers[':protocol'] === websocket && [...this.#ownersOf(request)].some(opensWebSockets)
  }

  #answer(request: Http2ServerRequest, response: Http2ServerResponse): void {
    // They have been asked.
    if (this.#server.listenerCount('connect') > 1) return
    // Of HTTP/1.1 on the same port: Node, too, closes the connection where nobody listens.
    if (request.httpVersionMajor === 1) return void request.socket.destroy()
    const protocol = request.headers[':protocol']
    if (protocol === undefined) return refuse(response, 405)
    const owners = this.#ownersOf(request)
    const balancers = [...(owners.size > 0 ? owners : this.#registry.balancers.values())]
    if (protocol === websocket && balancers.some(opensWebSockets)) this.#route(request, response)
    else refuse(response, 501)
  }

  #route(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const { stream } = request
    // What a handshake is for the app, and for backends that speak HTTP/1.1.
    ;(request as { method: string }).method = 'GET'
    const respond = guard(stream)
    closeAfter(response)
    noteUpgrade(request as unknown as IncomingMessage, {
      protocols: [websocket],
      stream,
      head: Buffer.alloc(0),
      isConnect: true,
      switchTo: (_response, _protocol, fields) => respond(openingFields(fields)),
    })
    this.#server.emit('request', request, response)
  }
}

/** Takes extended CONNECT for the balancers of an app. */
export function takeConnects(app: FastifyInstance, registry: Registry, server: NetServer): void {
  if (server instanceof Server || server instanceof SecureServer || watched.has(server)) return
  watched.add(server)
  // oxlint-disable-next-line no-new -- it listens
  new ExtendedConnects(app, registry, server as Http2Server)
}
