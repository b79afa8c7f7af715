import { Type } from '@sinclair/typebox'
import { tlsFaults } from '../connections/tls/tls-faults.ts'
import { overlaid } from '../connections/tls/tls-options.ts'
import { ownPoolOptions, poolOptionsOf, type PoolOptions } from './pool-options.ts'
import { faultsOf, readAddress, shown, strict } from '@fastify-balancer/option-schema'
import type { BackendOptions as Options } from './backend-options.generated.ts'

export const BackendOptions = Type.Object(
  {
    url: Type.String({
      description:
        'Its address: `http://` or `https://`, host and port; or `unix:/run/app.sock`. A path behind it, as in `http://10.0.0.1:3000/base` or `unix:/run/app.sock:/base`, is put before the paths of all requests',
    }),
    id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Its name, e.g. in the log. Default: its address',
      }),
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
          'Tier: 0 is used first. A higher tier gets traffic only when no backend of a lower one is healthy, or all of them have failed a request',
      }),
    ),
    maxInFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Most requests in flight at once. Default: `pool.connections`, which is also the limit over HTTP/1.1',
      }),
    ),
    zone: Type.Optional(
      Type.String({
        description: 'Where it runs, e.g. a data centre: for the policy `zones`, and shown in views',
      }),
    ),
    tags: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Labels, e.g. `canary` for the policy of that name; shown in views',
      }),
    ),
    ...ownPoolOptions,
    tls: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          'TLS to this backend: options of `pool.tls`, laid over them one by one; but all that concern the CA, the client certificate or the name take the place of all those of `pool.tls`. Never shown. A change of the list that does not give it leaves it as it is; `{}` removes it',
      }),
    ),
    proxyProtocol: Type.Optional(
      Type.Union([Type.Literal('v1'), Type.Literal('v2')], {
        description:
          'Each connection to it begins with a header of the PROXY protocol, version 1 or 2, that says who the client is. Then a connection carries requests of one client connection only. Its server must expect that',
      }),
    ),
  },
  strict,
)
/** One backend, as options describe it. */
export type BackendOptions = Options

/** What may change while a backend stays the same backend. */
export type BackendSettings = Required<Pick<BackendOptions, 'weight' | 'priority' | 'maxInFlight' | 'tags'>> &
  Pick<BackendOptions, 'zone' | 'protocol'>

/** A backend's options with its identity worked out. Never written to. */
export interface ParsedBackend extends BackendOptions {
  readonly id: string
}

/** Builds a list from the current one. */
export type MakeList = (listed: readonly ParsedBackend[]) => readonly (string | BackendOptions)[]

/** Parses the address of a backend that is spoken to in this way, or says what is wrong with it. */
function addressFor(text: string, { protocol }: PoolOptions): ReturnType<typeof readAddress> {
  const read = readAddress(text)
  if ('fault' in read) return read
  const isSecure = read.origin.startsWith('https:')
  if (protocol === 'http2' && !isSecure)
    return { fault: "protocol 'http2' needs https:// (for HTTP/2 without TLS, use 'h2c')" }
  if (protocol === 'h2c' && isSecure) return { fault: "protocol 'h2c' needs http://" }
  return read
}

function copyOf(tls: NonNullable<BackendOptions['tls']>): NonNullable<BackendOptions['tls']> {
  const parts = Object.entries(tls).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value] as const)
  return Object.freeze(Object.fromEntries<unknown>(parts))
}

/** Checks a list of backends as a whole, one after the other. */
export class BackendList {
  /** The valid ones. */
  readonly parsed: ParsedBackend[] = []
  readonly #pool: PoolOptions
  readonly #faults: string[]
  readonly #known: ReadonlySet<unknown>
  readonly #places = new Map<string, number>()
  /** Those of `known` with TLS of their own. */
  readonly #secured = new Map<string, ParsedBackend>()

  /** Faults are added to `faults`; backends in `known` were checked before and are not checked again. */
  constructor(pool: PoolOptions, faults: string[], known: ReadonlySet<unknown> = new Set()) {
    this.#pool = pool
    this.#faults = faults
    this.#known = known
    for (const one of known as ReadonlySet<ParsedBackend>) if (one.tls !== undefined) this.#secured.set(one.id, one)
  }

  /** The next of the list: an address or an object. Undefined if it is invalid. */
  read(item: unknown, index: number): ParsedBackend | undefined {
    const one = this.#known.has(item) ? (item as ParsedBackend) : this.#parse(item, `backends.${index}`)
    const id = one?.id ?? (item as Partial<ParsedBackend> | null)?.id
    if (typeof id === 'string') this.#take(id, index)
    if (one === undefined) return undefined
    const { protocol, connections } = poolOptionsOf(one, this.#pool)
    if (protocol === 'http1' && one.maxInFlight !== undefined && one.maxInFlight > connections)
      this.#faults.push(`backends.${index}.maxInFlight: ${one.maxInFlight} is above pool.connections (${connections})`)
    this.parsed.push(one)
    return one
  }

  /** Also of one that is invalid otherwise, so that all of its faults are told at once. */
  #take(id: string, index: number): void {
    const earlier = this.#places.get(id)
    if (earlier !== undefined) this.#faults.push(`backends.${index}.id: '${id}' is already used by backends.${earlier}`)
    else this.#places.set(id, index)
  }

  #parse(item: unknown, place: string): ParsedBackend | undefined {
    if (typeof item !== 'string' && (typeof item !== 'object' || item === null || Array.isArray(item))) {
      this.#faults.push(`${place}: expected an address, or an object, got ${shown(item)}`)
      return undefined
    }
    const backend = (typeof item === 'string' ? { url: item } : item) as BackendOptions
    const own = faultsOf(BackendOptions, backend, place)
    this.#faults.push(...own)
    const read =
      typeof backend.url === 'string' ? addressFor(backend.url, poolOptionsOf(backend, this.#pool)) : undefined
    if (read !== undefined && 'fault' in read) this.#faults.push(`${place}.url: ${read.fault}`)
    if (own.length > 0 || read === undefined || 'fault' in read) return undefined
    const { url, origin } = read
    const id = backend.id ?? url
    // A copy through and through: what the caller does to its own later is not a change of the set.
    const tags = backend.tags && { tags: Object.freeze([...backend.tags]) as string[] }
    const tls = backend.tls === undefined ? this.#tlsOf(id, url) : copyOf(backend.tls)
    if (tls !== undefined && backend.tls !== undefined && !this.#isSound(tls, origin, place)) return undefined
    return Object.freeze({ ...backend, url, id, ...tags, ...(tls !== undefined && { tls }) })
  }

  /** What it has of its own, if it is in the list already: views do not show it, so a list made of them has none. */
  #tlsOf(id: string, url: string): ParsedBackend['tls'] {
    const earlier = this.#secured.get(id)
    return earlier?.url === url ? earlier.tls : undefined
  }

  #isSound(tls: NonNullable<BackendOptions['tls']>, origin: string, place: string): boolean {
    const { length } = this.#faults
    if (origin.startsWith('http:') && Object.keys(tls).length > 0) this.#faults.push(`${place}.tls: needs https://`)
    else this.#faults.push(...tlsFaults(overlaid(this.#pool.tls, tls), `${place}.tls`))
    return this.#faults.length === length
  }
}

/** The items of the list. If it is not a list, that is the only fault. */
export function itemsOf(listed: unknown, faults: string[]): readonly unknown[] {
  if (Array.isArray(listed)) return listed
  faults.push(`backends: expected an array, got ${shown(listed)}`)
  return []
}

/** Checks a list of backends as a whole; adds faults to `faults`. */
export function parseBackends(listed: unknown, pool: PoolOptions, faults: string[]): ParsedBackend[] {
  const list = new BackendList(pool, faults)
  for (const [index, item] of itemsOf(listed, faults).entries()) list.read(item, index)
  return list.parsed
}

/** The options that may change while the backend stays the same, with defaults. */
export function settingsOf(
  options: BackendOptions,
  pool: PoolOptions,
): BackendSettings & Required<Pick<BackendOptions, 'protocol'>> {
  const {
    weight = 1,
    priority = 0,
    maxInFlight = pool.connections,
    tags = [],
    zone,
    protocol = pool.protocol,
  } = options
  return { weight, priority, maxInFlight, tags, protocol, ...(zone !== undefined && { zone }) }
}
