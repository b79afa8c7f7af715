// Room `rewriting`: what changes in requests and responses because an option says so: paths, addresses, cookies, and by the user's own code.
import { code, functionFaults, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { replacementFault } from './prefix-change.ts'
import type { RequestRewrite } from './request-rewrite.ts'
import type { ResponseRewrite } from './response-rewrite.ts'

const values = (pattern: string, expected: string) => Type.Record(Type.String(), Type.String({ pattern, expected }))

export const RewriteOptions = Type.Object(
  {
    stripPrefix: Type.Boolean({
      default: false,
      description: 'Remove `prefix` from the path that backends get; not in routes of your own',
    }),
    prefix: Type.Optional(
      Type.String({
        pattern: '^(?=/)(?!.*//)(?!.*/\\.{1,2}(?:/|$))(?:[!$&-)+->@-\\[\\]-~]|%[\\da-fA-F]{2})*$',
        expected: "a path such as '/v1', without ?, # and *, and without dot segments",
        description:
          'Another prefix in place of `prefix` in the path that backends get, such as `/v1`; not in routes of your own. `:name` as a segment is that parameter of `prefix`: with the prefix `/:tenant/api`, `/t/:tenant` makes `/t/acme/x` of `/acme/api/x`',
      }),
    ),
    location: Type.Optional(
      Type.Boolean({
        description:
          "`Location`, `Content-Location` and `Refresh` that name the backend's own address, or a path of its own, lead clients to the same place here. Default: `true` if `prefix` is removed or replaced, or the backend has a path of its own, else `false`",
      }),
    ),
    cookies: Type.Object(
      {
        path: Type.Optional(
          Type.Union([Type.Literal(true), values('^(?:/[ -:<-~]*)?$', 'a path without ;, or nothing')], {
            description:
              "`Path` of the backend's cookies: `true` = it changes like a path in `Location`; or prefixes and what takes their place, such as `{ '/app': '/' }`. `*` is any other path; `''` leaves `Path` out",
          }),
        ),
        domain: Type.Optional(
          Type.Union(
            [
              Type.String({ pattern: '^\\.?[\\w.-]*$', expected: 'a domain, or nothing' }),
              values('^\\.?[\\w.-]*$', 'a domain, or nothing'),
            ],
            {
              description:
                "`Domain` of the backend's cookies: one for all, or by the one that it has, such as `{ 'backend.internal': 'example.com' }`. `*` is any other domain; `''` leaves `Domain` out, so that the cookie is for the client's host alone",
            },
          ),
        ),
      },
      {
        ...strict,
        default: {},
        description:
          'Changes to the cookies that backends set. Those whose name begins with `__Host-` stay as they are: browsers would refuse them',
      },
    ),
    request: code<RequestRewrite>(
      '`({ in, out }) => {}`: changes method, path and headers of the request to the backend; runs last, so what it sets is sent',
    ),
    response: code<ResponseRewrite>(
      '`({ in, out }) => {}`: changes status and headers of the response to the client, and in the full lane its body',
    ),
  },
  { ...strict, default: {}, description: 'Changes to requests before they are sent, and to responses' },
)

/** What changes in requests and responses. */
export type RewriteOptions = Static<typeof RewriteOptions>

/** What the schema cannot check. `prefix` is that of the balancer. */
export function rewriteFaults(rewrite: RewriteOptions | undefined, prefix: unknown): string[] {
  const { stripPrefix, prefix: replacement } = rewrite ?? {}
  const faults = [
    ...functionFaults('rewrite.request', rewrite?.request),
    ...functionFaults('rewrite.response', rewrite?.response),
  ]
  if (typeof replacement !== 'string' || typeof prefix !== 'string') return faults
  if (stripPrefix === true) faults.push('rewrite.prefix: not together with rewrite.stripPrefix')
  const fault = replacementFault(prefix, replacement)
  return fault === undefined ? faults : [...faults, `rewrite.prefix: ${fault}`]
}
