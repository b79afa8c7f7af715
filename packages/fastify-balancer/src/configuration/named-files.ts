import { readFileSync } from 'node:fs'
import { readPasswords } from '../guard/password-file.ts'
import { tokenFault, tokenWarning } from '../guard/token.ts'
import { inspectCertificate } from './certificate.ts'
import { within, type PlacedFault } from './document/fault.ts'
import { isPlain } from './schema/applied.ts'

/** What was found in the secrets and files that a configuration names. */
export interface Findings {
  readonly faults: PlacedFault[]
  readonly warnings: PlacedFault[]
}

function inspectTls(listener: unknown, pointer: string, now: number, { faults, warnings }: Findings): void {
  const tls = isPlain(listener) ? listener['tls'] : undefined
  const { cert, key } = isPlain(tls) ? tls : {}
  if (typeof cert !== 'string' || typeof key !== 'string') return
  const place = within(pointer, 'tls')
  try {
    const pem = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    const found = inspectCertificate(pem, now)
    faults.push(...found.faults.map(({ of, message }) => ({ pointer: within(place, of), message })))
    if (found.warning !== undefined) warnings.push({ pointer: within(place, 'cert'), message: found.warning })
  } catch {
    // That a file cannot be read was said where it was looked for.
  }
}

function inspectPasswords(file: string, faults: PlacedFault[]): void {
  try {
    readPasswords(file, readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) return
    faults.push({ pointer: '/admin/basicAuth/file', message: error.message })
  }
}

function inspectCredentials(
  { token, basicAuth }: Readonly<Record<string, unknown>>,
  { faults, warnings }: Findings,
): void {
  if (typeof token === 'string') {
    const fault = tokenFault(token)
    const warning = tokenWarning(token)
    if (fault !== undefined) faults.push({ pointer: '/admin/token', message: fault })
    else if (warning !== undefined) warnings.push({ pointer: '/admin/token', message: warning })
  }
  if (isPlain(basicAuth) && typeof basicAuth['file'] === 'string') inspectPasswords(basicAuth['file'], faults)
}

/** Looks into the certificates, the token and the passwords that a file names; `now` is the time (ms since 1970). */
export function inspectNamedFiles(value: unknown, now: number): Findings {
  const findings: Findings = { faults: [], warnings: [] }
  const { listen, admin } = isPlain(value) ? value : {}
  for (const [index, listener] of (Array.isArray(listen) ? listen : []).entries())
    inspectTls(listener, `/listen/${index}`, now, findings)
  if (!isPlain(admin)) return findings
  inspectTls(admin['listen'], '/admin/listen', now, findings)
  inspectCredentials(admin, findings)
  return findings
}
