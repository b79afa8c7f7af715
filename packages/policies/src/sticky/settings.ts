import type { PolicyOption } from '@fastify-balancer/balancer-core'
import { strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'

/** The name of a cookie or of a header (RFC 9110 §5.6.2). */
const fieldName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"

/** The name of the cookie where nothing else is said. */
export const defaultCookie = 'srv'

/** What may stand beside `name: 'sticky'`. */
export const stickySettings = Type.Object(
  {
    secret: Type.Array(
      Type.String({
        minLength: 16,
        writeOnly: true,
        description: 'A text that nobody can guess, of 16 characters or more',
      }),
      {
        minItems: 1,
        description:
          'Secrets that the tokens are made with, the same on every instance: the first is used for new ones, all are accepted. To change it, put the new one first and keep the old one as long as clients have its tokens',
      },
    ),
    cookie: Type.Optional(
      Type.String({
        pattern: fieldName,
        expected: 'the name of a cookie',
        description: `Name of the cookie with the token, \`${defaultCookie}\` unless \`header\` is given. Balancers that share a host name need different ones`,
      }),
    ),
    header: Type.Optional(
      Type.String({
        pattern: fieldName,
        expected: 'the name of a header',
        description:
          'Name of a header instead, for clients without cookies: responses tell them the token in it, and they send it back in it',
      }),
    ),
    policy: Type.Unsafe<PolicyOption>(
      Type.Any({ default: 'round-robin', description: 'How a backend is chosen for new clients, as in `policy`' }),
    ),
    whenGone: Type.Union([Type.Literal('redistribute'), Type.Literal('fail')], {
      default: 'redistribute',
      description:
        'When the backend of a client is unhealthy, in maintenance or removed: `redistribute` binds the client to another, `fail` answers 503 and leaves it bound',
    }),
    secure: Type.Union([Type.Literal('auto'), Type.Boolean()], {
      default: 'auto',
      description: '`Secure` of the cookie; `auto` = for requests over HTTPS, by `request.protocol`',
    }),
    sameSite: Type.Union([Type.Literal('lax'), Type.Literal('strict'), Type.Literal('none')], {
      default: 'lax',
      description: '`SameSite` of the cookie',
    }),
    path: Type.String({
      pattern: '^/[\\x21-\\x3a\\x3c-\\x7e]*$',
      expected: 'a path that begins with /',
      default: '/',
      description: '`Path` of the cookie',
    }),
    domain: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Za-z.-]+$',
        expected: 'a host name',
        description: '`Domain` of the cookie; if not given, the one host name that was asked',
      }),
    ),
    maxAge: Type.Integer({
      minimum: 0,
      maximum: 34_560_000_000,
      default: 0,
      description:
        'How long a client keeps the cookie, from when it was bound, at most 400 days (ms); 0 = until the browser closes',
    }),
  },
  strict,
)

/** The settings, with every default in place. */
export type ParsedSticky = Static<typeof stickySettings>

/** Fields that mean something else already, or that cannot be changed for one attempt. */
const reserved = new Set(
  'authorization connection content-length cookie expect host keep-alive origin proxy-authenticate proxy-authorization proxy-connection set-cookie te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
)

/** What the schema cannot check. */
export function stickyFaults({ cookie, header, secure, sameSite }: ParsedSticky): readonly string[] {
  return [
    ...(cookie !== undefined && header !== undefined ? ['header: give `cookie` or `header`, not both'] : []),
    ...(header !== undefined && reserved.has(header.toLowerCase())
      ? [`header: '${header}' has a meaning of its own; take another name, such as x-session`]
      : []),
    ...(sameSite === 'none' && secure === false
      ? ["secure: must not be false with `sameSite: 'none'`, or browsers refuse the cookie"]
      : []),
  ]
}
