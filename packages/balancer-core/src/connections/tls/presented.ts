import type { X509Certificate } from 'node:crypto'

/** A certificate, as it is shown to operators. */
export interface PresentedCertificate {
  readonly subject: string
  readonly issuer: string
  readonly validFrom: string
  readonly validTo: string
  /** What it is for: `DNS:a.example`, `IP Address:10.0.0.1`. The first ones of many. */
  readonly names: readonly string[]
  /** SHA-256, of all of it. */
  readonly fingerprint: string
}

/** The other side chooses what is in it: more than this is not shown. */
const longest = 200
const mostNames = 10

function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** One attribute of a distinguished name stands on each line. */
const onOneLine = (name: string | undefined) => shortened((name ?? '').trim().replaceAll('\n', ', '))

/** What is shown of a certificate. */
function described(certificate: X509Certificate): PresentedCertificate {
  const { subject, issuer, validFrom, validTo, subjectAltName, fingerprint256 } = certificate
  return {
    subject: onOneLine(subject),
    issuer: onOneLine(issuer),
    validFrom,
    validTo,
    names: (subjectAltName ?? '').split(', ', mostNames).filter(Boolean).map(shortened),
    fingerprint: fingerprint256,
  }
}

/** Beside the errors, not in them: what hands errors on to clients never sees it. */
const presented = new WeakMap<object, PresentedCertificate>()

/** The certificate that an error of TLS is about, if it is about one. */
export function presentedIn(error: unknown): PresentedCertificate | undefined {
  return typeof error === 'object' && error !== null ? presented.get(error) : undefined
}

/** Notes which certificate an error is about. */
export function present(error: object, certificate: X509Certificate): void {
  presented.set(error, described(certificate))
}
