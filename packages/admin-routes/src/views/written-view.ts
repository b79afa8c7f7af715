import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { createHash, type Hash } from 'node:crypto'
import { concatInSlices, inSlices } from '@fastify-balancer/option-schema'
import type { BackendView } from '../schemas/views.ts'

/** A view as JSON, only with the properties that its schema names. */
export function textOf(schema: TSchema, view: unknown): string {
  return JSON.stringify(Value.Clean(schema, JSON.parse(JSON.stringify(view)) as unknown))
}

/** A view that is already JSON text: long ones are written slice by slice. */
export class WrittenView {
  /** In UTF-8, where it is long. */
  readonly text: string | Buffer
  /** Its entity tag, if it has one. */
  readonly tag: string | undefined

  constructor(text: string | Buffer, tag?: string) {
    this.text = text
    this.tag = tag
  }
}

/** A written view with the type of the view itself, for the types of routes. */
export type Written<View> = View & WrittenView

/** Still in its initial state, with nothing to show beyond its settings. */
function isUntouched({
  state,
  vetoes,
  inFlight,
  requests,
  weight,
  effectiveWeight,
  circuit,
  health,
  addresses,
}: BackendView): boolean {
  const isUsed = state !== 'ready' || vetoes.length > 0 || inFlight > 0 || requests > 0 || weight !== effectiveWeight
  const isQuiet = circuit === undefined || (circuit.state === 'closed' && circuit.openings === 0)
  return !isUsed && isQuiet && health?.state !== 'down' && addresses === undefined
}

/**
 * The entity tag (RFC 9110 §8.8.3) of a view: the revision of the list, which `If-Match` compares. Once the view shows more
 * than settings, a digest of it follows, so that caches tell different states apart.
 */
export class ViewTag {
  readonly #revision: number
  #digest: Hash | undefined

  constructor(revision: number) {
    this.#revision = revision
  }

  /** Includes one more backend; `text` is the view as JSON. */
  see(view: BackendView, text: string): void {
    if (!isUntouched(view)) this.add(text)
  }

  /** Includes any other state. */
  add(text: string): void {
    this.#digest ??= createHash('sha1')
    this.#digest.update(text)
  }

  toString(): string {
    const digest = this.#digest?.digest('base64url').slice(0, 16)
    return digest === undefined ? `"${this.#revision}"` : `"${this.#revision}-${digest}"`
  }
}

/** So much text is turned into bytes in one go: as text, a long list would be held together by thousands of small objects. */
const chunk = 65_536

/** The text of an object that ends with a long list of this name, up to that. */
export function beginning(rest: object, list: string): string {
  return `${JSON.stringify(rest).slice(0, -1)},"${list}":[`
}

/** Writes a long list between `before` and `after`, each item by `write`; requests go on meanwhile. */
export async function writeList<Item>(
  before: string,
  items: readonly Item[],
  write: (item: Item) => string,
  after: string,
): Promise<string | Buffer> {
  const parts: Buffer[] = []
  let text = before
  await inSlices(items, (item, index) => {
    if (index > 0) text += ','
    text += write(item)
    if (text.length < chunk) return
    parts.push(Buffer.from(text))
    text = ''
  })
  text += after
  return parts.length === 0 ? text : concatInSlices([...parts, Buffer.from(text)])
}
