// Room `connections/tls`: TLS to backends: its options, the files they name, and what certificates are checked for.
import { open } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import type { ConnectionOptions } from 'node:tls'

const pemFile = (description: string) => Type.Optional(Type.String({ minLength: 1, description }))

const known = Type.Object(
  {
    caFile: pemFile(
      'PEM file with the CA certificates that backends are verified against, instead of those that come with Node. This file and the next two are read again when they change',
    ),
    certFile: pemFile(
      'PEM file with the client certificate that is presented to backends, followed by its intermediate certificates',
    ),
    keyFile: pemFile(
      'PEM file with the private key of `certFile`; its `passphrase`, if it has one, is an option of Node',
    ),
    names: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "Names or IP addresses: the certificate must be for one of them, instead of for the host in the backend's URL. The first name is sent as server name (SNI), unless `servername` is given",
      }),
    ),
    pins: Type.Optional(
      Type.Array(Type.String(), {
        description:
          "SHA-256 digests, of which the backend's certificate must have one, in addition to all other checks: of its public key (`sha256/` and Base64) or of the whole certificate (`AB:CD:…`, as `openssl x509 -fingerprint -sha256` prints it)",
      }),
    ),
    minVersion: Type.Optional(
      Type.Union([Type.Literal('TLSv1'), Type.Literal('TLSv1.1'), Type.Literal('TLSv1.2'), Type.Literal('TLSv1.3')], {
        description: "Lowest version of TLS. Default: Node's `tls.DEFAULT_MIN_VERSION`, TLSv1.2",
      }),
    ),
  },
  {
    default: {},
    description:
      "TLS to `https://` backends: these options, and all that Node's `tls.connect` takes. Certificates are verified unless you set `rejectUnauthorized: false`",
  },
)
/** The schema of what is not one of Node's own options, or is checked more closely here. */
export const TlsOptions = open(known)
/** Options of TLS to a backend: ours, and Node's. */
export type TlsOptions = Static<typeof known> & ConnectionOptions

/** Alike, but for letter case, separators and the end: `cafile`, `pin`. */
const stem = (name: string) => name.toLowerCase().replaceAll(/[^a-z]|s$/g, '')

/** What is no option of Node, but one of ours misspelt: it would do nothing, and a pin would only seem to protect. */
export function misspelt(tls: object): string[] {
  const names = Object.keys(known.properties)
  return Object.keys(tls).flatMap((given) => {
    const meant = names.includes(given) ? undefined : names.find((name) => stem(name) === stem(given))
    return meant === undefined ? [] : [`${given}: unknown option (did you mean ${meant}?)`]
  })
}

/** Options that only make sense together: to give one of a line replaces all of it. */
const together: readonly (readonly string[])[] = [
  ['ca', 'caFile', 'secureContext'],
  ['cert', 'certFile', 'key', 'keyFile', 'passphrase', 'pfx', 'secureContext'],
  ['names', 'servername', 'checkServerIdentity'],
]

/** The options of one backend, laid over those of all. */
export function overlaid(all: TlsOptions, own: TlsOptions | undefined): TlsOptions {
  if (own === undefined) return all
  const replaced = new Set(together.filter((line) => line.some((name) => Object.hasOwn(own, name))).flat())
  const kept = Object.entries(all).filter(([name]) => !replaced.has(name))
  return { ...Object.fromEntries(kept), ...own }
}
