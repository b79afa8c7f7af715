import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.ts'
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

function parsedCertificate(file: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch {
    throw new CommandError(`${file} is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)`, 2)
  }
}

function parsedKey(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (error) {
    const isLocked = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE'
    const fault = isLocked
      ? 'is encrypted: decrypt it with `openssl pkey`'
      : 'is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)'
    throw new CommandError(`${file} ${fault}`, 2)
  }
}

function warningOf(file: string, { validFrom, validTo }: X509Certificate): string | undefined {
  if (Date.parse(validTo) < Date.now()) return `the certificate ${file} expired on ${validTo}: clients will refuse it`
  if (Date.parse(validFrom) > Date.now()) return `the certificate ${file} is only valid from ${validFrom} on`
  return undefined
}

/**
 * Reads the files of a listener's certificate and key, and checks that they belong together.
 * @throws CommandError naming the file and what is wrong with it
 */
export function readCertificate({ cert, key }: NonNullable<Listener['tls']>): Certificate {
  const texts = { cert: read('the certificate', cert), key: read('the key', key) }
  const certificate = parsedCertificate(cert, texts.cert)
  if (!certificate.checkPrivateKey(parsedKey(key, texts.key)))
    throw new CommandError(`the key ${key} does not belong to the certificate ${cert}`, 2)
  return { ...texts, warning: warningOf(cert, certificate) }
}
