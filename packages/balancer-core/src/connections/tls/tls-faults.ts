import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { faultsOf } from '@fastify-balancer/option-schema'
import { digestOf } from './pin.ts'
import { filesOf, optionFor, readFiles, type FileContents } from './tls-files.ts'
import { misspelt, TlsOptions } from './tls-options.ts'

const begin = '-----BEGIN CERTIFICATE-----'
const certificate = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs

/** What `make` makes; undefined if it throws. */
function attempted<Made>(make: () => Made): Made | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

const works = (make: () => unknown) => attempted(() => [make()]) !== undefined

type Pem = string | Buffer

const isPem = (value: unknown): value is Pem => typeof value === 'string' || Buffer.isBuffer(value)

/** Node skips what is no certificate, and would then trust nobody. */
function isListOfAuthorities(pem: unknown): boolean {
  if (!isPem(pem)) return true
  const text = pem.toString()
  const found = text.match(certificate) ?? []
  return (
    found.length > 0 &&
    text.split(begin).length - 1 === found.length &&
    found.every((one) => works(() => new X509Certificate(one)))
  )
}

/** Both, if each is given as one text. */
function pairOf({
  cert,
  key,
  passphrase,
}: SecureContextOptions): { leaf: X509Certificate; own: KeyObject } | undefined {
  if (!isPem(cert) || !isPem(key)) return undefined
  return attempted(() => ({
    leaf: new X509Certificate(cert),
    own: createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) }),
  }))
}

/** What is wrong with keys and certificates, each by its option of Node. */
function pemFaults(tls: SecureContextOptions): readonly (readonly ['ca' | 'cert' | 'key' | '', string])[] {
  const { ca, cert, key, passphrase, pfx } = tls
  const faults: ['ca' | 'cert' | 'key' | '', string][] = []
  if (ca !== undefined && ![ca].flat().every(isListOfAuthorities))
    faults.push(['ca', 'must hold certificates in PEM form (-----BEGIN CERTIFICATE-----), each of them whole'])
  if (cert !== undefined && !works(() => createSecureContext({ cert })))
    faults.push(['cert', 'is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)'])
  if (key !== undefined && !works(() => createSecureContext({ key, passphrase })))
    faults.push([
      'key',
      'is not a private key in PEM form (-----BEGIN PRIVATE KEY-----), or `passphrase` is not its own',
    ])
  if (faults.length > 0) return faults
  if (cert !== undefined && key === undefined && pfx === undefined) return [['cert', 'has no private key']]
  if (key !== undefined && cert === undefined && pfx === undefined) return [['key', 'has no certificate']]
  const pair = pairOf(tls)
  if (pair !== undefined && !pair.leaf.checkPrivateKey(pair.own)) return [['key', 'does not belong to the certificate']]
  try {
    createSecureContext(tls)
    return []
  } catch (error) {
    return [['', `cannot be used: ${(error as Error).message}`]]
  }
}

/** What of two options is the same in other words. */
function doubled(tls: TlsOptions): string[] {
  const files = filesOf(tls).flatMap((file) => {
    const option = optionFor(file)
    return tls[option] === undefined ? [] : [`${file.option}: cannot be given together with ${option}`]
  })
  const { secureContext, names, checkServerIdentity, rejectUnauthorized, pins = [] } = tls
  const others = ['caFile', 'certFile', 'keyFile', 'minVersion'].filter((option) => Object.hasOwn(tls, option))
  if (secureContext !== undefined && others.length > 0)
    files.push(`secureContext: cannot be given together with ${others.join(', ')}`)
  if (names !== undefined && names.length > 0 && checkServerIdentity !== undefined)
    files.push('names: cannot be given together with checkServerIdentity')
  // Node then calls no check at all, so that pins would seem to protect.
  if (pins.length > 0 && rejectUnauthorized === false)
    files.push('pins: need `rejectUnauthorized`; a certificate that nobody else has signed is its own CA (`caFile`)')
  return files
}

const hostName = /^(?=.{1,253}$)[\w-]+(?:\.[\w-]+)*$/

function listFaults({ names = [], pins = [] }: TlsOptions): string[] {
  const wrongNames = names.flatMap((name, index) =>
    isIP(name) !== 0 || hostName.test(name) ? [] : [`names.${index}: '${name}' is not a host name or an IP address`],
  )
  const wrongPins = pins.flatMap((pin, index) =>
    digestOf(pin) === undefined
      ? [`pins.${index}: '${pin}' is not a SHA-256 digest, such as sha256/ and 44 characters of Base64, or AB:CD:…`]
      : [],
  )
  return [...wrongNames, ...wrongPins]
}

/**
 * What is wrong with TLS options, one line each, after `place`; keys and certificates are never shown. `read`: what is in
 * the files that they name, if that has been read.
 */
export function tlsFaults(tls: TlsOptions, place: string, read?: FileContents): readonly string[] {
  const schema = faultsOf(TlsOptions, tls, place)
  if (schema.length > 0) return schema
  const faults = [...misspelt(tls), ...doubled(tls), ...listFaults(tls)]
  const contents = read ?? readFiles(tls, faults)
  const files = new Map(filesOf(tls).map((file) => [optionFor(file), file] as const))
  if (faults.length === 0) {
    for (const [option, fault] of pemFaults({ ...tls, ...contents })) {
      const file = option === '' ? undefined : files.get(option)
      if (file !== undefined) faults.push(`${file.option}: '${file.path}' ${fault}`)
      else if (option !== '') faults.push(`${option}: ${fault}`)
      else return [`${place}: ${fault}`]
    }
  }
  return faults.map((fault) => `${place}.${fault}`)
}
