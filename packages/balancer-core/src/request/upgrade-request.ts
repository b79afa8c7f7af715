import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * What a client asks for with `Upgrade` (RFC 9110 §7.8) or with an extended CONNECT (RFC 8441), taken out of the hands of
 * Node's HTTP server.
 */
export interface UpgradeRequest {
  /** The protocols that it names, as it spells them. */
  readonly protocols: readonly string[]
  /** Its connection, or its stream of HTTP/2. */
  readonly stream: Duplex
  /** What came behind the request. To be asked for once, by who reads the stream from then on. */
  readonly head: Buffer
  /** It is an extended CONNECT: a success says that it was switched, and there is no key (RFC 8441 §5). */
  readonly isConnect: boolean
  /**
   * Tells the client, instead of this response, that its stream now speaks this protocol. `fields` are flat pairs without those of the connection.
   * @throws TypeError for fields that must not be sent: then nothing was
   */
  switchTo(response: ServerResponse, protocol: string, fields: readonly string[]): void
}

const upgrade = Symbol('fastify-balancer.upgrade')
type Upgrading = IncomingMessage & { [upgrade]?: UpgradeRequest }

/** Notes what a request asks for. */
export function noteUpgrade(request: IncomingMessage, asked: UpgradeRequest): void {
  ;(request as Upgrading)[upgrade] = asked
}

/** What a request asks for; undefined if it is an ordinary one, or nobody took it out of Node's hands. */
export function upgradeOf(request: IncomingMessage): UpgradeRequest | undefined {
  return (request as Upgrading)[upgrade]
}

/** The protocols that an `Upgrade` field names. */
export function protocolsIn(field: string | undefined): readonly string[] {
  return (field ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** Without any protocols, requests for this one are refused rather than ignored: no client would go on without it. */
const refused = ['websocket']

/** Those of them that a balancer takes, be it to refuse them. Letter case does not matter (RFC 9110 §7.8). */
export function takenOf(
  { protocols }: { readonly protocols: readonly string[] },
  asked: readonly string[],
): readonly string[] {
  const list = protocols.length === 0 ? refused : protocols
  return asked.filter((name) => list.some((one) => one.toLowerCase() === name.toLowerCase()))
}
