import type { Backend, Picker, PickRequest, PolicyDetails } from '@fastify-balancer/balancer-core'
import { Bounds } from './bounds.ts'
import type { InFlight } from './in-flight.ts'
import type { KeyReader } from '../keys/key-reader.ts'
import type { LaidOut, Layouts } from './laid-out.ts'

/** So many backends of a key's order are shown. */
const mostShown = 5

const rounded = (share: number) => Math.round(share * 10_000) / 10_000

/** What is known of one set once it was needed. */
interface Prepared extends LaidOut {
  readonly bounds: Bounds
  readonly indexes: ReadonlyMap<Backend, number>
  shares?: readonly number[]
}

/** What every consistent policy has, whatever its layout. */
export interface KeyedParts {
  readonly keys: KeyReader
  readonly layouts: Layouts
  readonly inFlight: InFlight
  /** See `Bounds`. */
  readonly factor: number
}

/** Picks by the key of a request; for one without a key, `inner` picks. */
export class KeyedPicker implements Picker {
  readonly #available: readonly Backend[]
  readonly #parts: KeyedParts
  readonly #inner: Picker
  readonly #innerName: string
  #prepared: Prepared | undefined

  constructor(available: readonly Backend[], parts: KeyedParts, inner: Picker, innerName: string) {
    this.#available = available
    this.#parts = parts
    this.#inner = inner
    this.#innerName = innerName
  }

  pick(request: PickRequest, asked = 0): Backend | null | undefined {
    const key = this.#parts.keys.keyOf(request)
    return key === undefined ? this.#inner.pick(request, asked) : this.#choose(key, asked)
  }

  peek(request: PickRequest, ahead = 0): Backend | null | undefined {
    const key = this.#parts.keys.keyOf(request)
    // More picks of a key make no difference: only loads do.
    return key === undefined ? this.#inner.peek(request, ahead) : this.#choose(key, 0)
  }

  accepts(request: PickRequest, backend: Backend): boolean {
    if (this.#parts.keys.keyOf(request) !== undefined) return false
    return this.#inner.accepts?.(request, backend) ?? this.#inner.peek(request) === backend
  }

  refuses(request: PickRequest, backend: Backend): boolean {
    if (this.#inner.refuses === undefined || this.#parts.keys.keyOf(request) !== undefined) return false
    return this.#inner.refuses(request, backend)
  }

  score(backend: Backend): number {
    const prepared = this.#prepare()
    const index = prepared.indexes.get(backend)
    if (index === undefined) return Infinity
    prepared.bounds.update()
    return backend.inFlight / (prepared.bounds.areOn ? prepared.bounds.slotsOf(index) : backend.limit)
  }

  details(backend: Backend): PolicyDetails {
    const prepared = this.#available.length === 0 ? undefined : this.#prepare()
    const index = prepared?.indexes.get(backend)
    if (prepared === undefined || index === undefined) return { share: 0 }
    const { bounds, layout } = prepared
    prepared.shares ??= layout.shares()
    const share = rounded(prepared.shares[index]!)
    bounds.update()
    return { share, load: backend.inFlight, ...(bounds.areOn && { bound: bounds.slotsOf(index) }) }
  }

  basis(request: PickRequest): PolicyDetails {
    const { keys } = this.#parts
    const key = keys.keyOf(request)
    if (key === undefined) return { ...this.#inner.basis?.(request), key: null, policy: this.#innerName }
    const source = { key: keys.nameOf(request) ?? null }
    if (this.#available.length === 0) return source
    const { layout, backends } = this.#prepare()
    const hash = layout.hashOf(key)
    const order: string[] = []
    for (let skip = 0; skip < Math.min(mostShown, backends.length); skip++)
      order.push(backends[layout.choose(hash, skip, () => true)]!.id)
    return {
      ...source,
      hash: hash.toString(16).padStart(8, '0'),
      ...(layout.positionOf && { position: layout.positionOf(hash) }),
      order: `${order.join(', ')}${backends.length > mostShown ? ', …' : ''}`,
    }
  }

  /** The key's first that is below its bound, after `asked` others; if there is none, the same of all that have room. */
  #choose(key: string, asked: number): Backend | undefined {
    if (this.#available.length === 0) return undefined
    const { layout, backends, bounds } = this.#prepare()
    const hash = layout.hashOf(key)
    bounds.update()
    let index = layout.choose(hash, asked, bounds.isBelow)
    if (index === -1) index = layout.choose(hash, asked, bounds.hasRoom)
    return index === -1 ? undefined : backends[index]
  }

  /** With the first request after a change, since changes often come in groups. */
  #prepare(): Prepared {
    return (this.#prepared ??= this.#prepareNow())
  }

  #prepareNow(): Prepared {
    const { layouts, inFlight, factor } = this.#parts
    const laidOut = layouts.over(this.#available)
    return {
      ...laidOut,
      bounds: new Bounds(laidOut.backends, inFlight, factor),
      indexes: new Map(laidOut.backends.map((backend, index) => [backend, index])),
    }
  }
}
