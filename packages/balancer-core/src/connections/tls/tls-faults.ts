import { X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'

const begin = '-----BEGIN CERTIFICATE-----'
const certificate = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs

function works(make: () => unknown): boolean {
  try {
    make()
    return true
  } catch {
    return false
  }
}

/** Node skips what is no certificate, and would then trust nobody. */
function isListOfAuthorities(pem: unknown): boolean {
  if (typeof pem !== 'string' && !Buffer.isBuffer(pem)) return true
  const text = pem.toString()
  const found = text.match(certificate) ?? []
  return (
    found.length > 0 &&
    text.split(begin).length - 1 === found.length &&
    found.every((one) => works(() => new X509Certificate(one)))
  )
}

/** What is wrong with `tls.connect` options, one line each; what they hold is never shown. */
export function tlsFaults(tls: SecureContextOptions): readonly string[] {
  const { ca, cert, key, passphrase } = tls
  const faults: string[] = []
  if (ca !== undefined && ![ca].flat().every(isListOfAuthorities))
    faults.push('ca: must hold certificates in PEM form (-----BEGIN CERTIFICATE-----), each of them whole')
  if (cert !== undefined && !works(() => createSecureContext({ cert })))
    faults.push('cert: is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)')
  if (key !== undefined && !works(() => createSecureContext({ key, passphrase })))
    faults.push('key: is not a private key in PEM form (-----BEGIN PRIVATE KEY-----), or `passphrase` is not its own')
  if (faults.length > 0) return faults.map((fault) => `pool.tls.${fault}`)
  try {
    createSecureContext(tls)
    return []
  } catch (error) {
    return [`pool.tls: cannot be used: ${(error as Error).message}`]
  }
}
