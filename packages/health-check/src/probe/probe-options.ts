import { code, functionFaults, shown, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isReversed } from './expectation.ts'
import type { CustomProbe } from './custom-probe.ts'

/**
 * What a probe sends, and which responses are healthy. The one source of type, validation, defaults and the README's
 * table.
 */
export const ProbeOptions = Type.Object({
  type: Type.Union([Type.Literal('http'), Type.Literal('tcp'), Type.Literal('grpc'), Type.Literal('none')], {
    default: 'http',
    description:
      'Kind of probe: `http` = a request, `tcp` = only a connection (with TLS for `https://`), `grpc` = a call of `grpc.health.v1.Health/Check` over HTTP/2, `none` = no probes',
  }),
  service: Type.String({
    default: '',
    description: '`grpc`: the service to ask about; none = the server as a whole',
  }),
  method: Type.String({
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    expected: 'a method such as GET',
    default: 'HEAD',
    description: 'Request method',
  }),
  path: Type.String({
    pattern: '^/[!-"$-~]*$',
    expected: 'a path that begins with /',
    default: '/',
    description: "Request path, with a query if needed; below the path of the backend's address, if that has one",
  }),
  headers: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: 'Request headers; their values are never shown or logged',
  }),
  host: Type.Optional(
    Type.String({
      pattern: '^[!-~]+$',
      expected: 'a host such as api.example',
      description: "`Host` header. Default: the backend's own address",
    }),
  ),
  port: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_535,
      description: 'Probe another port of the same host, e.g. of a sidecar',
    }),
  ),
  expect: Type.Object(
    {
      statuses: Type.Optional(
        Type.Array(
          Type.Union([
            Type.Integer({ minimum: 100, maximum: 599 }),
            Type.String({ pattern: '^[1-5][0-9]{2}-[1-5][0-9]{2}$', expected: "a range such as '200-399'" }),
          ]),
          {
            minItems: 1,
            description:
              "Statuses that are healthy: numbers, and ranges such as `'200-399'`. Default: 100–499, and 501 for any method but `GET`",
          },
        ),
      ),
      body: code<string | RegExp>(
        'A string or RegExp that the first 64 KiB of the body must contain; needs `method: "GET"`',
      ),
    },
    { ...strict, default: {}, description: 'Which responses are healthy' },
  ),
  probe: code<CustomProbe>(
    '`async ({ id, url, tags, zone }, signal) => {}`: a probe of your own; the backend is unhealthy if it throws, and the error says why',
  ),
})
/** Options of probes with every default in place. */
export type ProbeOptions = Static<typeof ProbeOptions>

/** The probe writes these itself, or they would change the connection. */
const forbiddenHeaders: Readonly<Record<string, string>> = {
  host: 'use the option host',
  connection: 'each probe has a connection of its own',
  'content-length': 'a probe has no body',
  'transfer-encoding': 'a probe has no body',
  upgrade: 'a probe does not upgrade',
  expect: 'a probe has no body',
}

function headerFault(name: string, value: string): string | undefined {
  const why = forbiddenHeaders[name.toLowerCase()]
  if (why !== undefined) return `may not be set: ${why}`
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  } catch {
    // Node's message would show the value.
    return 'is not a valid header'
  }
  return undefined
}

/** What a schema cannot check; called once the schema is satisfied. One line for each fault, with its place. */
export function probeFaults({ type, service, method, headers, expect, probe }: ProbeOptions): string[] {
  const faults: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const fault = headerFault(name, value)
    if (fault !== undefined) faults.push(`headers.${name}: ${fault}`)
  }
  for (const [index, statuses] of (expect.statuses ?? []).entries()) {
    if (isReversed(statuses)) faults.push(`expect.statuses.${index}: ${statuses} begins after its end`)
  }
  if (method.toUpperCase() === 'CONNECT') faults.push('method: CONNECT cannot be used for probes')
  if (service !== '' && type !== 'grpc') faults.push("service: needs type 'grpc'")
  if (expect.body !== undefined) {
    if (typeof expect.body !== 'string' && !(expect.body instanceof RegExp)) {
      faults.push(`expect.body: expected a string or a RegExp, got ${shown(expect.body)}`)
    } else if (type !== 'http') faults.push("expect.body: needs type 'http'")
    else if (method.toUpperCase() === 'HEAD')
      faults.push("expect.body: a response to HEAD has no body; use method 'GET'")
  }
  return [...faults, ...functionFaults('probe', probe)]
}
