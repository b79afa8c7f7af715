import { code, milliseconds, strict, type Given } from '@fastify-balancer/option-schema'
import { Type, type Static } from '@sinclair/typebox'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { isReversed } from './expectation.ts'
import type { CustomProbe } from './custom-probe.ts'

const count = { minimum: 1, maximum: 1000 } as const

/** How backends are asked whether they are well. The one source of type, check, defaults and table. */
export const ActiveOptions = Type.Object({
  type: Type.Union([Type.Literal('http'), Type.Literal('tcp'), Type.Literal('none')], {
    default: 'http',
    description:
      'What a probe is: a request, or only a connection (with TLS, if the backend has it); `none` = no probes',
  }),
  method: Type.String({
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    default: 'HEAD',
    description: 'The method of the request',
  }),
  path: Type.String({ pattern: '^/[!-"$-~]*$', default: '/', description: 'Its path, with a query if need be' }),
  headers: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: 'Its headers; their values are never shown or logged',
  }),
  host: Type.Optional(
    Type.String({ pattern: '^[!-~]+$', description: "Its `host`; the backend's own address if none is given" }),
  ),
  port: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: 'Another port of the same host, e.g. of a sidecar' }),
  ),
  expect: Type.Object(
    {
      statuses: Type.Array(
        Type.Union([
          Type.Integer({ minimum: 100, maximum: 599 }),
          Type.String({ pattern: '^[1-5][0-9]{2}-[1-5][0-9]{2}$' }),
        ]),
        {
          minItems: 1,
          default: ['100-499'],
          description: "Statuses that are good: numbers, and ranges as `'200-399'`",
        },
      ),
      body: code<string | RegExp>('What the first 64 KiB of the body must hold: a string or a RegExp; needs `GET`'),
    },
    { ...strict, default: {} },
  ),
  interval: milliseconds('From one probe of a backend to the next', 5000, 1),
  timeout: milliseconds('How long a probe may take: name, connection, TLS and answer together', 2000, 1),
  rise: Type.Integer({ ...count, default: 2, description: 'Good probes in a row that bring a backend back' }),
  fall: Type.Integer({ ...count, default: 3, description: 'Bad probes in a row that take a backend out' }),
  fastInterval: Type.Optional(
    milliseconds(
      'The interval while a backend is on its way from good to bad, or back; if not given, 1000 or `interval`, whichever is shorter',
      undefined,
      1,
    ),
  ),
  downInterval: Type.Optional(milliseconds('The interval while it is out; as `interval` if not given', undefined, 1)),
  jitter: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.1,
    description: 'By which share, more or less, intervals vary, so that probes do not come in step',
  }),
  initial: Type.Union([Type.Literal('probe'), Type.Literal('up'), Type.Literal('down')], {
    default: 'probe',
    description:
      'What is thought of backends at the start: `probe` asks them before the app listens; `up` and `down` do not wait',
  }),
  admit: Type.Union([Type.Literal('healthy'), Type.Literal('always'), Type.Literal('all-or-nothing')], {
    default: 'healthy',
    description:
      'Newcomers are probed first, and get traffic once they are well (`healthy`); or at once (`always`); or one that is not well refuses the whole change (`all-or-nothing`)',
  }),
  probe: code<CustomProbe>(
    '`async ({ id, url, tags, zone }, signal) => {}`: a probe of your own; what it throws is why the backend is not well',
  ),
})
/** What is decided about active checks, with every default in place. */
export type ActiveOptions = Static<typeof ActiveOptions>

/** The same, as users write it. */
export type GivenActiveOptions = Given<ActiveOptions>

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
export function activeFaults({ type, method, headers, expect, probe }: ActiveOptions): string[] {
  const faults: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const fault = headerFault(name, value)
    if (fault !== undefined) faults.push(`headers.${name}: ${fault}`)
  }
  for (const [index, statuses] of expect.statuses.entries()) {
    if (isReversed(statuses)) faults.push(`expect.statuses.${index}: ${statuses} begins after its end`)
  }
  if (method.toUpperCase() === 'CONNECT') faults.push('method: CONNECT is no request that a backend could answer')
  if (expect.body !== undefined) {
    if (typeof expect.body !== 'string' && !(expect.body instanceof RegExp)) {
      faults.push('expect.body: expected string or RegExp')
    } else if (type !== 'http') faults.push("expect.body: needs type 'http'")
    else if (method.toUpperCase() === 'HEAD') faults.push("expect.body: an answer to HEAD has none; use method 'GET'")
  }
  if (probe !== undefined && typeof probe !== 'function') faults.push('probe: expected function')
  return faults
}
