import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { within, type PlacedFault } from './document/fault.ts'
import { isPlain } from './schema/applied.ts'

/** What is wrong with a certificate and its key, and what will be soon. */
export interface CertificateFindings {
  readonly faults: readonly PlacedFault[]
  readonly warnings: readonly PlacedFault[]
}

const day = 86_400_000

function read<T>(path: unknown, parse: (pem: string) => T): T | undefined {
  try {
    return parse(readFileSync(path as string, 'utf8'))
  } catch {
    return undefined
  }
}

const on = (time: number) => new Date(time).toISOString().slice(0, 10)

function dateWarning(certificate: X509Certificate, now: number): string | undefined {
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  if (now < from) return `the certificate is not valid before ${on(from)}`
  if (now > to) return `the certificate has expired on ${on(to)}`
  return to - now < 14 * day ? `the certificate expires on ${on(to)}` : undefined
}

/** Looks at the files of `tls: { cert, key }` at `pointer`; `now` is the time (ms since 1970). */
export function certificateFindings(tls: unknown, pointer: string, now: number): CertificateFindings {
  if (!isPlain(tls)) return { faults: [], warnings: [] }
  const certificate = read(tls['cert'], (pem) => new X509Certificate(pem))
  const key = read(tls['key'], (pem) => createPrivateKey(pem))
  const faults: PlacedFault[] = []
  if (certificate === undefined)
    faults.push({ pointer: within(pointer, 'cert'), message: 'is not a certificate in PEM form' })
  if (key === undefined)
    faults.push({ pointer: within(pointer, 'key'), message: 'is not a private key in PEM form, without a passphrase' })
  if (certificate === undefined || key === undefined) return { faults, warnings: [] }
  if (!certificate.checkPrivateKey(key))
    faults.push({ pointer: within(pointer, 'key'), message: 'does not belong to the certificate' })
  else if (
    read(tls['cert'], (cert) => createSecureContext({ cert, key: readFileSync(tls['key'] as string, 'utf8') })) ===
    undefined
  )
    faults.push({
      pointer: within(pointer, 'cert'),
      message: 'cannot be used: one of the certificates in it is damaged',
    })
  const warning = dateWarning(certificate, now)
  return { faults, warnings: warning === undefined ? [] : [{ pointer: within(pointer, 'cert'), message: warning }] }
}
