import type { Backend, NamedPolicy, PickRequest } from '@fastify-balancer/balancer-core'
import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { key, keyFaults } from '../keys/key-option.ts'
import { KeyReader } from '../keys/key-reader.ts'
import { murmur3 } from '../keys/murmur3.ts'
import { cookieOf } from '../keys/request-parts.ts'
import { TieredPolicy, type Members } from './tiered-policy.ts'

const userKey: typeof key = {
  ...key,
  description:
    'Keeps each user on one side: `{ header }`, `{ cookie }`, `{ query }`, `{ path }`, `{ address }`, `{ body }`, a function, or a list of which the first that a request has is taken. Without it, each request is drawn',
}

const settings = Type.Object(
  {
    tag: Type.String({ minLength: 1, default: 'canary', description: 'The canaries are the backends with this tag' }),
    share: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: 'Share of the requests, or with `key` of the users, that canaries get (0–1), however many there are',
    }),
    key: userKey,
    header: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'A request with this header goes to a canary if its value is `always`, and to none if it is `never`',
      }),
    ),
    cookie: Type.Optional(Type.String({ minLength: 1, description: 'The same for a cookie; the header counts first' })),
    policy: Type.Any({ default: 'p2c', description: 'The policy among canaries, and among the others' }),
  },
  strict,
)

/** The point of a key on the line of shares, from 0 up to 1: a user who is with the canaries stays when the share grows. */
function pointOfKey(text: string): number {
  return murmur3(text, 0xca_0a_12) / 2 ** 32
}

/** A new version on trial: a share of the requests, the same users, or requests that ask for it (as ingress-nginx's canary). */
export const canary: NamedPolicy<Static<typeof settings>> = {
  description:
    'A share of the requests or users, or those with a header, go to the backends with a `tag`, the rest to the others',
  settings,
  faults: ({ key: given }) => keyFaults(given),
  make(given, parts) {
    const { tag, share, header, cookie } = given
    const reader = given.key === undefined ? undefined : new KeyReader(given.key)
    const isCanary = ({ tags }: Backend) => tags.includes(tag)

    /** Only where both have a healthy member is there anything to choose. */
    function split(available: readonly Backend[]): readonly Members[] {
      return [
        { name: tag, backends: available.filter(isCanary) },
        { name: 'others', backends: available.filter((one) => !isCanary(one)) },
      ].filter(({ backends }) => backends.length > 0)
    }

    function wanted({ headers }: PickRequest): number | undefined {
      const said = [header && headers[header.toLowerCase()], cookie && cookieOf(headers, cookie)]
      const order = said.find((one) => one === 'always' || one === 'never')
      return order === undefined ? undefined : order === 'always' ? 0 : 1
    }

    return new TieredPolicy(
      'canary',
      split,
      (tiers) => ({
        limits: undefined,
        shares: () => (tiers.length < 2 ? [1] : [share, 1 - share]),
        ...((header !== undefined || cookie !== undefined) && { wanted }),
        ...(reader !== undefined && {
          pointOf(request: PickRequest) {
            const text = reader.keyOf(request)
            return text === undefined ? undefined : pointOfKey(text)
          },
        }),
      }),
      parts,
    )
  },
}
