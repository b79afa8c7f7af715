import { createHash, type X509Certificate } from 'node:crypto'

/** `sha256/` and Base64 as in HPKP (RFC 7469); curl writes two slashes. */
const inBase64 = /^sha256\/{1,2}(?<digest>[A-Za-z0-9+/]{43}=)$/
/** In hexadecimal, with or without colons and what `openssl` prints before it. */
const inHex = /^(?:sha256(?: fingerprint)?[=:/])?(?<digest>(?:[0-9a-f]{2}:?){31}[0-9a-f]{2})$/i

/** The digest of a pin in Base64; undefined if it is not one. */
export function digestOf(pin: string): string | undefined {
  const base64 = inBase64.exec(pin)?.groups?.['digest']
  if (base64 !== undefined) return base64
  const hex = inHex.exec(pin)?.groups?.['digest']
  return hex === undefined ? undefined : Buffer.from(hex.replaceAll(':', ''), 'hex').toString('base64')
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64')

/** The digests of a certificate that a pin may be: of its public key (SPKI), and of all of it. */
export function pinsOf({ publicKey, raw }: X509Certificate): { readonly key: string; readonly whole: string } {
  return { key: sha256(publicKey.export({ type: 'spki', format: 'der' })), whole: sha256(raw) }
}
