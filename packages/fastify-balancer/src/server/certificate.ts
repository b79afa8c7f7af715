import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.ts'
import { inspectCertificate } from '../configuration/certificate.ts'
import type { Listener } from '../configuration/configuration.ts'
import { fileError } from '../file-error.ts'

/** A certificate with its key, as Node's servers take them. */
export interface Certificate {
  /** PEM; with the chain, if the file has one. */
  readonly cert: string
  readonly key: string
  /** What is odd about it, though it can be used. */
  readonly warning: string | undefined
}

function read(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw fileError(what, file, error)
  }
}

/**
 * Reads the files of a listener's certificate and key, and checks that they belong together.
 * @throws CommandError naming the file and what is wrong with it
 */
export function readCertificate(files: NonNullable<Listener['tls']>): Certificate {
  const pem = { cert: read('the certificate', files.cert), key: read('the key', files.key) }
  const { faults, warning } = inspectCertificate(pem)
  const [fault] = faults
  if (fault !== undefined) {
    const about = fault.about === undefined ? '' : ` ${files[fault.about]}`
    throw new CommandError(`${files[fault.of]} ${fault.message}${about}`, 2)
  }
  return { ...pem, warning: warning === undefined ? undefined : `the certificate ${files.cert} ${warning}` }
}
