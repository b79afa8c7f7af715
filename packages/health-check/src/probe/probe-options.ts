import { code, functionFaults, shown, strict } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isReversed } from './expectation.ts'
import type { CustomProbe } from './custom-probe.ts'

/** What backends are asked, and which answers are good. The one source of type, check, defaults and table. */
export const ProbeOptions = Type.Object({
  type: Type.Union([Type.Literal('http'), Type.Literal('tcp'), Type.Literal('none')], {
    default: 'http',
    description:
      'What a probe is: a request, or only a connection (with TLS, if the backend has it); `none` = no probes',
  }),
  method: Type.String({
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    expected: 'a method such as GET',
    default: 'HEAD',
    description: 'The method of the request',
  }),
  path: Type.String({
    pattern: '^/[!-"$-~]*$',
    expected: 'a path that begins with /',
    default: '/',
    description: 'Its path, with a query if need be',
  }),
  headers: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: 'Its headers; their values are never shown or logged',
  }),
  host: Type.Optional(
    Type.String({
      pattern: '^[!-~]+$',
      expected: 'a host such as api.example',
      description: "Its `host`; the backend's own address if none is given",
    }),
  ),
  port: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'Another port of the same host, e.g. of a sidecar' }),
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
              "Statuses that are good: numbers, and ranges as `'200-399'`. If not given, 100–499, and 501 to any method but `GET`",
          },
        ),
      ),
      body: code<string | RegExp>('What the first 64 KiB of the body must hold: a string or a RegExp; needs `GET`'),
    },
    { ...strict, default: {}, description: 'Which answers are good' },
  ),
  probe: code<CustomProbe>(
    '`async ({ id, url, tags, zone }, signal) => {}`: a probe of your own; what it throws is why the backend is not well',
  ),
})
/** What is asked of backends, with every default in place. */
export type ProbeOptions = Static<typeof ProbeOptions>

/** These are written by the probe itself, or would change what the connection is. */
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
    // The message of Node would show the value.
    return 'is not a valid header'
  }
  return undefined
}

/** What no schema can check; asked once the schema is satisfied. One line for each fault, with its place. */
export function probeFaults({ type, method, headers, expect, probe }: ProbeOptions): string[] {
  const faults: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const fault = headerFault(name, value)
    if (fault !== undefined) faults.push(`headers.${name}: ${fault}`)
  }
  for (const [index, statuses] of (expect.statuses ?? []).entries()) {
    if (isReversed(statuses)) faults.push(`expect.statuses.${index}: ${statuses} begins after its end`)
  }
  if (method.toUpperCase() === 'CONNECT') faults.push('method: CONNECT is no request that a backend could answer')
  if (expect.body !== undefined) {
    if (typeof expect.body !== 'string' && !(expect.body instanceof RegExp)) {
      faults.push(`expect.body: expected a string or a RegExp, got ${shown(expect.body)}`)
    } else if (type !== 'http') faults.push("expect.body: needs type 'http'")
    else if (method.toUpperCase() === 'HEAD') faults.push("expect.body: an answer to HEAD has none; use method 'GET'")
  }
  return [...faults, ...functionFaults('probe', probe)]
}
