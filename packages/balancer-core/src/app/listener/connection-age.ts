import { constants, type ServerHttp2Session } from 'node:http2'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Balancer } from '../../balancer.ts'
import { eachHttp1Connection, speaksHttp2 } from './server-kind.ts'

/** Connections that were opened together are not closed together: ± this share of the age, as gRPC's servers have it. */
const jitter = 0.1

/** All balancers behind one server, by name. */
type Balancers = ReadonlyMap<string, Balancer>

/** The balancer with the smallest limit, of those behind one server; undefined if none has one. */
function strictest(balancers: Balancers): Balancer | undefined {
  let found: Balancer | undefined
  for (const balancer of balancers.values()) {
    const { maxConnectionAge } = balancer.options
    if (maxConnectionAge > 0 && !(maxConnectionAge >= (found?.options.maxConnectionAge ?? Infinity))) found = balancer
  }
  return found
}

/** A connection that has an end. */
interface Aging {
  once(event: 'close', listener: () => void): unknown
}

/** Asks the client to use another connection, once this one has its age; cuts it off after the grace. */
function age(connection: Aging, { clock, random, options }: Balancer, ask: () => void, cut: () => void): void {
  const { maxConnectionAge, maxConnectionAgeGrace } = options
  let timer = clock.setTimeout(
    () => {
      ask()
      if (maxConnectionAgeGrace > 0) timer = clock.setTimeout(cut, maxConnectionAgeGrace)
    },
    Math.round(maxConnectionAge * (1 - jitter + 2 * jitter * random())),
  )
  connection.once('close', () => clock.clearTimeout(timer))
}

/** Connections of HTTP/1.1 that end with their next response. */
const aged = new WeakSet<Socket>()

function closeIfAged(request: IncomingMessage, response: ServerResponse): void {
  // HTTP/2 has no such field; its sessions have their own way.
  if (request.httpVersionMajor === 1 && aged.has(request.socket)) response.shouldKeepAlive = false
}

/** A connection that was upgraded is no longer a matter of requests. */
function isUpgraded(socket: Socket & { readonly parser?: unknown }): boolean {
  return (socket.parser ?? undefined) === undefined
}

const watched = new WeakSet<Server>()

/**
 * Lets no connection of a client grow older than `maxConnectionAge`, so that clients that keep theirs for ever spread over
 * instances and cores again. One place for all balancers of a server, as they share its connections.
 */
export function limitAge(server: Server, balancers: Balancers): void {
  if (watched.has(server)) return
  watched.add(server)
  let answers = false
  eachHttp1Connection(server, (socket) => {
    const balancer = strictest(balancers)
    if (balancer === undefined) return
    // Only now, so that requests cost nothing where there is no limit.
    if (!answers) server.prependListener('request', closeIfAged)
    answers = true
    age(
      socket,
      balancer,
      () => void aged.add(socket),
      () => {
        if (!isUpgraded(socket)) socket.destroy()
      },
    )
  })
  if (!speaksHttp2(server)) return
  ;(server as Server).on('session', (session: ServerHttp2Session) => {
    const balancer = strictest(balancers)
    if (balancer === undefined) return
    age(
      session,
      balancer,
      () => session.close(),
      () => breakOff(session),
    )
  })
}

/** Ends a session; with an error for the streams on it: without one, clients would take their responses for complete. */
export function breakOff(session: ServerHttp2Session): void {
  if (!session.destroyed) session.destroy(null as unknown as undefined, constants.NGHTTP2_CANCEL)
}
