import type { FastifyRequest } from 'fastify'
import type { Http2ServerRequest } from 'node:http2'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'

type Raw = FastifyRequest['raw']

const none: readonly string[] = []

/** A byte sequence (RFC 9651 §3.3.5). */
const bytes = ({ raw }: DetailedPeerCertificate) => `:${raw.toString('base64')}:`

/** The certificates above that of the client, without the CA itself, which the backend has to know anyway. */
function intermediates(leaf: DetailedPeerCertificate): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  let below = leaf
  // A CA is its own issuer; one that Node does not know is missing.
  for (let one = leaf.issuerCertificate; one?.raw !== undefined; one = one.issuerCertificate) {
    if (one.issuerCertificate === one || one === below) break
    chain.push(one)
    below = one
  }
  return chain
}

function fieldsFor(socket: TLSSocket): readonly string[] {
  // Not verified, it proves nothing: anybody can make one with any name.
  if (!socket.encrypted || !socket.authorized) return none
  const leaf = socket.getPeerCertificate(true)
  if (leaf?.raw === undefined) return none
  const chain = intermediates(leaf).map(bytes)
  return ['client-cert', bytes(leaf), ...(chain.length > 0 ? ['client-cert-chain', chain.join(', ')] : [])]
}

/** A connection carries many requests. */
const known = new WeakMap<object, readonly string[]>()

/** `Client-Cert` and `Client-Cert-Chain` (RFC 9440), as flat pairs, if the client has a certificate that was verified. */
export function clientCertificate(raw: Raw): readonly string[] {
  const { session } = (raw as unknown as Partial<Http2ServerRequest>).stream ?? {}
  const connection = session ?? raw.socket
  let fields = known.get(connection)
  if (fields === undefined) known.set(connection, (fields = fieldsFor(raw.socket as TLSSocket)))
  return fields
}
