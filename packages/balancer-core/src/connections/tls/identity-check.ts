import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { digestOf, pinsOf } from './pin.ts'
import type { TlsOptions } from './tls-options.ts'

/** As Node has it; called once the certificate has been verified against the CAs. */
type Check = (hostname: string, certificate: PeerCertificate) => Error | undefined

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/** Is it for one of the names? */
function nameCheck(names: readonly string[]): Check {
  return (_hostname, certificate) => {
    if (names.some((name) => checkServerIdentity(name, certificate) === undefined)) return undefined
    // The code of Node's own check.
    return failure('ERR_TLS_CERT_ALTNAME_INVALID', `The certificate is not for ${names.join(' or ')}`)
  }
}

/** Has it one of the digests? */
function pinCheck(pins: readonly string[]): Check {
  const allowed = new Set(pins.map(digestOf))
  return (_hostname, { raw }) => {
    const { key, whole } = pinsOf(new X509Certificate(raw))
    if (allowed.has(key) || allowed.has(whole)) return undefined
    return failure('ERR_TLS_PIN_MISMATCH', `The certificate has none of the pins; that of its key is sha256/${key}`)
  }
}

/** The check of names and pins; undefined where Node's own is enough. */
export function identityCheck({ names = [], pins = [], checkServerIdentity: own }: TlsOptions): Check | undefined {
  if (names.length === 0 && pins.length === 0) return own
  const isNamed = names.length > 0 ? nameCheck(names) : (own ?? checkServerIdentity)
  if (pins.length === 0) return isNamed
  const isPinned = pinCheck(pins)
  return (hostname, certificate) => isNamed(hostname, certificate) ?? isPinned(hostname, certificate)
}

/** The server name that is sent (SNI); undefined for an address, which must not be sent as one (RFC 6066 §3). */
export function serverName({ servername, names = [] }: TlsOptions, hostname: string): string | undefined {
  if (servername !== undefined) return servername
  const [first = hostname] = names
  return isIP(first) === 0 ? first : undefined
}
