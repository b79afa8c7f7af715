import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createSecureContext } from 'node:tls'
import { elsewhere, localhost } from '../../../../../test/support/certificates.ts'
import { parseOptions } from '../../../src/options.ts'
import { digestOf, pinsOf } from '../../../src/connections/tls/pin.ts'
import { tlsFaults } from '../../../src/connections/tls/tls-faults.ts'
import { overlaid, type TlsOptions } from '../../../src/connections/tls/tls-options.ts'

const folder = mkdtempSync(join(tmpdir(), 'tls-faults-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const certFile = file('localhost.pem', localhost.cert)
const keyFile = file('localhost.key', localhost.key)
const other = file('other.key', elsewhere.key)
const nothing = join(folder, 'nothing.pem')

const privateKey = createPrivateKey(localhost.key)
const encrypted = file(
  'encrypted.key',
  privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open' }),
)

test('an option of ours that is misspelt is not taken for one of Node', () => {
  const given = { cafile: certFile, pin: ['x'], min_version: 'TLSv1.3', servername: 'a', ca: localhost.cert }
  assert.deepEqual(tlsFaults(given as never, 'tls'), [
    'tls.cafile: unknown option (did you mean caFile?)',
    'tls.pin: unknown option (did you mean pins?)',
    'tls.min_version: unknown option (did you mean minVersion?)',
  ])
})

test('options that can be used have no fault', () => {
  const { key, whole } = pinsOf(new X509Certificate(localhost.cert))
  const all: TlsOptions[] = [
    {},
    { caFile: certFile, certFile, keyFile },
    { ca: localhost.cert, cert: localhost.cert, keyFile },
    { names: ['a.example', '10.0.0.1', '::1', 'a_b'], pins: [`sha256/${key}`, `sha256//${whole}`] },
    { names: [], pins: [], minVersion: 'TLSv1.3', rejectUnauthorized: false },
    { secureContext: createSecureContext(localhost), names: ['a'] },
    { certFile, keyFile: encrypted, passphrase: 'open' },
  ]
  for (const tls of all) assert.deepEqual(tlsFaults(tls, 'pool.tls'), [])
})

test('every fault is named, with its option and its file', () => {
  const cases: readonly (readonly [TlsOptions, ...string[]])[] = [
    [{ caFile: nothing }, `caFile: '${nothing}' does not exist`],
    [{ caFile: folder }, `caFile: '${folder}' is a folder`],
    [
      { caFile: keyFile },
      `caFile: '${keyFile}' must hold certificates in PEM form (-----BEGIN CERTIFICATE-----), each of them whole`,
    ],
    [{ certFile, keyFile: other }, `keyFile: '${other}' does not belong to the certificate`],
    [
      { certFile, keyFile: encrypted, passphrase: 'wrong' },
      `keyFile: '${encrypted}' is not a private key in PEM form (-----BEGIN PRIVATE KEY-----), or \`passphrase\` is not its own`,
    ],
    [{ certFile }, `certFile: '${certFile}' has no private key`],
    [
      { certFile: nothing, keyFile: nothing },
      `certFile: '${nothing}' does not exist`,
      `keyFile: '${nothing}' does not exist`,
    ],
    [
      { certFile: keyFile, keyFile: certFile },
      `certFile: '${keyFile}' is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)`,
      `keyFile: '${certFile}' is not a private key in PEM form (-----BEGIN PRIVATE KEY-----), or \`passphrase\` is not its own`,
    ],
    [{ ca: localhost.cert, caFile: certFile }, 'caFile: cannot be given together with ca'],
    [
      { secureContext: createSecureContext(localhost), caFile: certFile, minVersion: 'TLSv1.3' },
      'secureContext: cannot be given together with caFile, minVersion',
    ],
    [
      { names: ['a'], checkServerIdentity: () => undefined },
      'names: cannot be given together with checkServerIdentity',
    ],
    [
      { pins: [`sha256/${'A'.repeat(43)}=`], rejectUnauthorized: false },
      'pins: need `rejectUnauthorized`; a certificate that nobody else has signed is its own CA (`caFile`)',
    ],
    [{ names: ['https://a'] }, "names.0: 'https://a' is not a host name or an IP address"],
    [
      { pins: ['sha256/short'] },
      "pins.0: 'sha256/short' is not a SHA-256 digest, such as sha256/ and 44 characters of Base64, or AB:CD:…",
    ],
    [
      { minVersion: 'TLSv9' as 'TLSv1' },
      "minVersion: expected 'TLSv1', 'TLSv1.1', 'TLSv1.2' or 'TLSv1.3', got 'TLSv9' (did you mean 'TLSv1'?)",
    ],
  ]
  for (const [tls, ...faults] of cases)
    assert.deepEqual(
      tlsFaults(tls, 'pool.tls'),
      faults.map((fault) => `pool.tls.${fault}`),
    )
})

test('a pin may be written in each of the usual ways', () => {
  const { key, whole } = pinsOf(new X509Certificate(localhost.cert))
  const { fingerprint256 } = new X509Certificate(localhost.cert)
  for (const pin of [
    fingerprint256,
    fingerprint256.toLowerCase(),
    fingerprint256.replaceAll(':', ''),
    `sha256 Fingerprint=${fingerprint256}`,
    `SHA256:${fingerprint256}`,
    `sha256/${whole}`,
  ])
    assert.equal(digestOf(pin), whole, pin)
  assert.equal(digestOf(`sha256//${key}`), key)
  for (const pin of [
    '',
    'sha256/',
    `${fingerprint256}:00`,
    fingerprint256.slice(3),
    key,
    `sha1/${key}`,
    `sha256/${key}=`,
  ])
    assert.equal(digestOf(pin), undefined, pin)
})

test('what a backend has of its own is checked where it stands, laid over what all have', () => {
  const at = (tls: object, url = 'https://a.test') => {
    try {
      return parseOptions({
        backends: ['http://b.test', { url, tls: { ...tls } }],
        pool: { tls: { certFile, keyFile } },
      })
    } catch (error) {
      return (error as Error).message.replace('Bad balancer options: ', '')
    }
  }
  assert.equal(typeof at({ names: ['a'] }), 'object')
  assert.equal(at({ keyFile }), `backends.1.tls.keyFile: '${keyFile}' has no certificate`)
  assert.equal(at({ caFile: nothing }), `backends.1.tls.caFile: '${nothing}' does not exist`)
  assert.equal(at({ names: ['a'] }, 'http://a.test'), 'backends.1.tls: needs https://')
  assert.equal(at({ names: 5 }), 'backends.1.tls.names: expected an array, got 5')
})

test('what belongs together is replaced together', () => {
  const all: TlsOptions = {
    ca: 'ca',
    cert: 'cert',
    key: 'key',
    passphrase: 'p',
    names: ['a'],
    pins: ['x'],
    minVersion: 'TLSv1.2',
  }
  assert.equal(overlaid(all, undefined), all)
  assert.deepEqual(overlaid(all, {}), all)
  const { ca: _, ...withoutCa } = all
  assert.deepEqual(overlaid(all, { caFile: 'f' }), { ...withoutCa, caFile: 'f' })
  const { names, pins, minVersion } = all
  assert.deepEqual(overlaid(all, { certFile: 'c', keyFile: 'k' }), {
    ca: 'ca',
    names,
    pins,
    minVersion,
    certFile: 'c',
    keyFile: 'k',
  })
  assert.deepEqual(overlaid(all, { servername: 's', pins: [] }).names, undefined)
})
