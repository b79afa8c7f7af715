import { X509Certificate } from 'node:crypto'
import { CommandError } from '../command-error.ts'
import type { Listener } from '../configuration/configuration.ts'
import { readCertificate, type Certificate } from '../server/certificate.ts'
import type { ListeningApp } from '../server/listening-app.ts'
import { unchanged, type Part } from './part.ts'

/** What is told of a certificate: until when it is valid, and which of two with the same end it is. */
function described(cert: string): string {
  const { validTo, fingerprint256 } = new X509Certificate(cert)
  return `valid until ${validTo}, SHA-256 ${fingerprint256.slice(0, 11)}…`
}

/** The certificate of one listener, which stands at `pointer` in the file and is called `option`. */
export function certificatePart(listening: ListeningApp, { tls }: Listener, option: string, pointer: string): Part {
  const { certificate: before } = listening
  if (tls === undefined || before === undefined) return unchanged
  let now: Certificate
  try {
    now = readCertificate(tls)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { ...unchanged, faults: [{ pointer, message: error.message }] }
  }
  if (now.cert === before.cert && now.key === before.key) return unchanged
  return {
    ...unchanged,
    changes: [{ option: `${option}.tls`, from: described(before.cert), to: described(now.cert) }],
    commit: () => listening.useCertificate(now),
  }
}
