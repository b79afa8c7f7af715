import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its key, as PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

/** What a certificate is for. */
export interface Wanted {
  readonly subject?: string
  /** As `openssl` writes them: `DNS:localhost`, `IP:::1`. */
  readonly names?: readonly string[]
  /** Valid for so many days; below 0, it has expired. */
  readonly days?: number
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A CA that `openssl` has made, for the tests of one file. */
export class Authority {
  readonly cert: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'authority-'))
  #count = 0

  /** Its own authority, or one below another. */
  constructor(subject = '/CN=Test CA', above?: Authority) {
    const usage = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign,cRLSign']
    const making = [...curve, '-keyout', 'ca.key', '-subj', subject, ...usage]
    if (above === undefined) this.#openssl('req', '-x509', ...making, '-out', 'ca.pem')
    else {
      this.#openssl('req', '-new', ...making, '-out', 'ca.csr')
      this.#openssl('x509', '-req', '-in', 'ca.csr', ...above.signing(2), '-out', 'ca.pem')
    }
    this.cert = this.#read('ca.pem')
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }))
  }

  /** Issues a certificate. */
  issue({
    subject = '/CN=backend',
    names = ['DNS:localhost', 'IP:127.0.0.1', 'IP:::1'],
    days = 2,
  }: Wanted = {}): Issued {
    const name = `${++this.#count}`
    const alternatives = names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`]
    this.#openssl(
      'req',
      '-new',
      ...curve,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
      ...alternatives,
    )
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...this.signing(days), '-out', `${name}.pem`)
    return { cert: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) }
  }

  /** What `openssl x509 -req` needs to sign by it. */
  signing(days: number): string[] {
    const [cert, key] = [join(this.#folder, 'ca.pem'), join(this.#folder, 'ca.key')]
    return ['-CA', cert, '-CAkey', key, '-copy_extensions', 'copyall', '-days', `${days}`]
  }

  /** Writes a text to a file, for options that name one. */
  file(name: string, text: string): string {
    const path = join(this.#folder, name)
    writeFileSync(path, text)
    return path
  }

  #openssl(...words: string[]): void {
    execFileSync('openssl', words, { cwd: this.#folder, stdio: 'pipe' })
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8')
  }
}
