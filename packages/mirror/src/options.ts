import { milliseconds, originOf, readOptions, strict, type Reading } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { BadOptionsError } from './errors.ts'
import type { MirrorOptions as Options } from './options.generated.ts'

/** What the core holds of a body in one piece (bytes). Longer ones are streamed, and cannot be sent twice. */
const longestHeld = 65_536

/** Everything that `register` takes. The one source of type, validation, defaults and the README's table. */
export const MirrorOptions = Type.Object(
  {
    balancer: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Name of the balancer. Default: the one called `default`, or the only one',
      }),
    ),
    to: Type.Array(Type.String(), {
      description: 'Servers that get the copies: addresses such as `http://10.0.0.9:3000`. Each gets every copy',
    }),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 1,
      description: 'Share of the requests that is mirrored, picked at random (0–1)',
    }),
    // Methods are case-sensitive (RFC 9110 §9.1): `get` would mirror nothing.
    methods: Type.Array(Type.String({ pattern: '^[A-Z][A-Z-]*$', expected: 'a method in capitals, such as GET' }), {
      default: ['GET', 'HEAD', 'OPTIONS'],
      description:
        'Methods that are mirrored. Add others, such as POST, only if the mirror has data of its own: otherwise each copy takes effect once more',
    }),
    maxBody: Type.Integer({
      minimum: 0,
      maximum: longestHeld,
      default: longestHeld,
      description: 'Longest request body that is mirrored (bytes). Longer ones, and those of unknown length, are not',
    }),
    maxInFlight: Type.Integer({
      minimum: 1,
      default: 64,
      description: 'How many copies may be in progress at once, for each server; further ones are dropped',
    }),
    maxResponse: Type.Integer({
      minimum: 0,
      default: 1_048_576,
      description: 'A response is read up to this many bytes, and discarded; the connection of a longer one is closed',
    }),
    timeouts: Type.Object(
      {
        connect: milliseconds('Time limit for opening a connection to the mirror', 2000, 1),
        request: milliseconds('Time limit for a copy, from its start to the end of the response', 10_000, 1),
      },
      { ...strict, default: {}, description: 'Time limits of a copy' },
    ),
  },
  strict,
)
/** What `register` takes: everything but `to` is optional, nested objects in part. */
export type MirrorOptions = Options

/** Options with every default in place; `to` are origins. */
export type ParsedOptions = Readonly<Static<typeof MirrorOptions>>

function addressFaults({ to }: ParsedOptions): readonly string[] {
  const places = new Map<string, number>()
  return to.flatMap((text, index) => {
    const read = originOf(text)
    if ('fault' in read) return [`to.${index}: ${read.fault}`]
    const earlier = places.get(read.origin)
    places.set(read.origin, index)
    return earlier === undefined ? [] : [`to.${index}: is the same as to.${earlier}`]
  })
}

/** Fills in defaults, in a copy, and checks everything. */
export function readMirrorOptions(given: unknown): Reading<ParsedOptions> {
  const { options, faults } = readOptions(MirrorOptions, given, addressFaults)
  if (faults.length > 0) return { options, faults }
  const to = options.to.map((text) => {
    const read = originOf(text)
    return 'origin' in read ? read.origin : text
  })
  return { options: Object.freeze({ ...options, to }), faults }
}

/**
 * Fills in defaults, in a copy, and checks everything.
 * @throws BadOptionsError naming every fault at once
 */
export function parseOptions(given: MirrorOptions): ParsedOptions {
  const { options, faults } = readMirrorOptions(given)
  if (faults.length > 0) throw new BadOptionsError(faults.join('; '))
  return options
}

/**
 * Every fault of the options, one line each; for a caller that validates more than these and wants to report everything
 * at once.
 */
export function faultsOfOptions(given: MirrorOptions): readonly string[] {
  return readMirrorOptions(given).faults
}
