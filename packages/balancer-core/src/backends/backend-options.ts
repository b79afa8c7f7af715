import { Type, type Static } from '@sinclair/typebox'
import type { PoolOptions } from './pool-options.ts'
import { faultsOf, quoted, strict } from '@fastify-balancer/option-schema'

export const BackendOptions = Type.Object(
  {
    url: Type.String({ description: 'Its origin: `http://` or `https://`, host, port; no path' }),
    id: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Its name; the origin if none is given' }),
    ),
    weight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        default: 1,
        description: 'Its share of the traffic, relative to the others',
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        default: 0,
        description:
          'Lower is preferred; higher ones are used when no lower one is available, or all of those have failed a request',
      }),
    ),
    maxInFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Requests at once; as many as `pool.connections` if not given, and never more over HTTP/1.1',
      }),
    ),
    zone: Type.Optional(Type.String({ description: 'Where it runs; shown, and there for a policy of your own' })),
    tags: Type.Optional(
      Type.Array(Type.String(), { description: 'Labels; shown, and there for a policy of your own' }),
    ),
  },
  strict,
)
/** One backend, as options describe it. */
export type BackendOptions = Static<typeof BackendOptions>

/** What may change while a backend stays the same backend. */
export type BackendSettings = Required<Pick<BackendOptions, 'weight' | 'priority' | 'maxInFlight' | 'tags'>> &
  Pick<BackendOptions, 'zone'>

/** A backend's options with its identity worked out. */
export interface ParsedBackend extends BackendOptions {
  readonly id: string
}

function originFault(url: string, { protocol }: PoolOptions): string | undefined {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return `${quoted(url)} is not a URL`
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    return `${quoted(url)} must begin with http:// or https://`
  if (parsed.username !== '' || parsed.password !== '') return 'must not carry credentials'
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '')
    return `${quoted(url)} must be an origin, without a path`
  if (protocol === 'http2' && parsed.protocol !== 'https:')
    return "pool.protocol 'http2' needs https://, and 'h2c' is for clear text"
  if (protocol === 'h2c' && parsed.protocol !== 'http:') return "pool.protocol 'h2c' needs http://"
  return undefined
}

/** Checks a list of backends as a whole; adds what is wrong to `faults`. An address may stand for an object. */
export function parseBackends(listed: unknown, pool: PoolOptions, faults: string[]): ParsedBackend[] {
  if (!Array.isArray(listed)) {
    faults.push('backends: expected array')
    return []
  }
  const places = new Map<string, number>()
  const parsed: ParsedBackend[] = []
  for (const [index, item] of listed.entries()) {
    const place = `backends.${index}`
    const backend = (typeof item === 'string' ? { url: item } : item) as BackendOptions
    const own = faultsOf(BackendOptions, backend, place)
    const fault = typeof backend?.url === 'string' ? originFault(backend.url, pool) : undefined
    faults.push(...own)
    if (fault !== undefined) faults.push(`${place}.url: ${fault}`)
    if (own.length > 0 || fault !== undefined) continue
    const url = new URL(backend.url).origin
    const id = backend.id ?? url
    const earlier = places.get(id)
    if (earlier !== undefined) faults.push(`${place}.id: '${id}' is already that of backends.${earlier}`)
    else places.set(id, index)
    if (pool.protocol === 'http1' && backend.maxInFlight !== undefined && backend.maxInFlight > pool.connections) {
      faults.push(`${place}.maxInFlight: ${backend.maxInFlight} is above pool.connections (${pool.connections})`)
    }
    // A copy through and through: what the caller does to its own later is not a change of the set.
    parsed.push({ ...backend, url, id, ...(backend.tags !== undefined && { tags: [...backend.tags] }) })
  }
  return parsed
}

/** What of it may change while the backend stays the same, with defaults. */
export function settingsOf(options: BackendOptions, pool: PoolOptions): BackendSettings {
  const { weight = 1, priority = 0, maxInFlight = pool.connections, tags = [], zone } = options
  return { weight, priority, maxInFlight, tags, ...(zone !== undefined && { zone }) }
}
