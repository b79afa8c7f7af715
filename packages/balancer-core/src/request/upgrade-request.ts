import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** What a client asks for with `Upgrade` (RFC 9110 §7.8), taken out of the hands of Node's HTTP server. */
export interface UpgradeRequest {
  /** The protocols that it names, as it spells them. */
  readonly protocols: readonly string[]
  /** Its connection. */
  readonly stream: Duplex
  /** What came behind the request. To be asked for once, by who reads the stream from then on. */
  readonly head: Buffer
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
