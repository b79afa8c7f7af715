import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** Of which of the two files something is said. */
interface CertificateFault {
  readonly of: 'cert' | 'key'
  readonly message: string
  /** The other file it is about: its name may follow the message. */
  readonly about?: 'cert'
}

/** What is wrong with a certificate and its key, or odd though they can be used. */
export interface CertificateFindings {
  readonly faults: readonly CertificateFault[]
  readonly warning: string | undefined
}

/** Programs that renew certificates do it earlier than this (ms) before they expire. */
const soon = 14 * 86_400_000

function valueOrError<T>(make: () => T): T | Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}

const day = (time: number) => new Date(time).toISOString().slice(0, 10)

function dateWarning({ validFrom, validTo }: X509Certificate, now: number): string | undefined {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  if (now < from) return `is not valid before ${day(from)}: clients refuse it until then`
  if (now > to) return `expired on ${day(to)}: clients refuse it`
  return to - now < soon ? `expires on ${day(to)}` : undefined
}

function keyFault(error: Error): string {
  return (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE'
    ? 'is encrypted: decrypt it with `openssl pkey`'
    : 'is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)'
}

function pairFault(
  pem: { readonly cert: string; readonly key: string },
  certificate: X509Certificate,
  key: KeyObject,
): CertificateFault | undefined {
  if (!certificate.checkPrivateKey(key))
    return { of: 'key', message: 'does not belong to the certificate', about: 'cert' }
  // Of a chain, only the first one has been read by now.
  if (valueOrError(() => createSecureContext(pem)) instanceof Error)
    return { of: 'cert', message: 'has a damaged certificate below the first' }
  return undefined
}

/** Looks at a certificate and a key, both as PEM text; `now` is the time (ms since 1970). */
export function inspectCertificate(
  pem: { readonly cert: string; readonly key: string },
  now = Date.now(),
): CertificateFindings {
  const certificate = valueOrError(() => new X509Certificate(pem.cert))
  const key = valueOrError(() => createPrivateKey(pem.key))
  const faults: CertificateFault[] = []
  if (certificate instanceof Error)
    faults.push({ of: 'cert', message: 'is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)' })
  if (key instanceof Error) faults.push({ of: 'key', message: keyFault(key) })
  if (certificate instanceof Error || key instanceof Error) return { faults, warning: undefined }
  const fault = pairFault(pem, certificate, key)
  return { faults: fault === undefined ? [] : [fault], warning: dateWarning(certificate, now) }
}
