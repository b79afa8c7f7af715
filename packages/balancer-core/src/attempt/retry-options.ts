import { milliseconds, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { statusNames } from '../grpc/status-code.ts'

/** Idempotent methods (RFC 9110 §9.2.2), independent of `retry.methods`. */
export const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

const notOk = statusNames.filter((name) => name !== 'OK')

export const RetryOptions = Type.Object(
  {
    attempts: Type.Integer({
      minimum: 0,
      maximum: 10,
      default: 1,
      description:
        'How often to retry a request that a backend may already have processed: on another backend, or on the same one if there is no other',
    }),
    // Methods are case-sensitive (RFC 9110 §9.1): `get` would retry nothing.
    methods: Type.Array(Type.String({ pattern: '^[A-Z][A-Z-]*$', expected: 'a method in capitals, such as GET' }), {
      default: ['GET', 'HEAD', 'OPTIONS'],
      description:
        'Methods that may be retried like this. A request that never reached a backend goes to another one with any method',
    }),
    statuses: Type.Array(Type.Integer({ minimum: 400, maximum: 599 }), {
      default: [],
      description: 'Response statuses that are retried',
    }),
    delay: milliseconds(
      'Longest wait before a first retry; before the next ones 3, 7 and then 10 times as long. The wait is a random part of that (full jitter), so that clients do not come back together. A request that never reached its backend goes to another one at once; with a delay it is also retried where there is no other',
      0,
    ),
    grpc: Type.Array(Type.Union(notOk.map((name) => Type.Literal(name))), {
      default: [],
      description:
        'gRPC statuses, such as `UNAVAILABLE`, that are retried, whatever `methods` says: only calls that have had no response header yet, and whose request is complete and at most 64 KiB. A call may then run twice. A backend that sends `grpc-retry-pushback-ms` above 0 or below is not asked again',
    }),
    budget: Type.Object(
      {
        ratio: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.2,
          description: 'Retry budget: retries allowed, as a share of the requests of the last 10 s',
        }),
        floor: Type.Number({
          minimum: 0,
          default: 10,
          description: 'Retry budget: retries per second that are always allowed',
        }),
      },
      {
        ...strict,
        default: {},
        description: 'Limit on all retries together, so that they do not overload the remaining backends',
      },
    ),
  },
  {
    ...strict,
    default: {},
    description:
      'Which requests are retried. `false` = none that a backend may already have processed; requests that never reached a backend still go to another one',
  },
)
/** Which requests are tried again. */
export type RetryOptions = Static<typeof RetryOptions>
