import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { createHash, type Hash } from 'node:crypto'
import { concatInSlices, inSlices } from '@fastify-balancer/option-schema'
import type { BackendView } from '../schemas/views.ts'

/** A view as JSON, with what its schema names, and nothing else. */
export function textOf(schema: TSchema, view: unknown): string {
  return JSON.stringify(Value.Clean(schema, JSON.parse(JSON.stringify(view)) as unknown))
}

/** A view that is written already: long ones are, slice by slice. */
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

/** What routes answer in place of the view itself: to them it is the view. */
export type Written<View> = View & WrittenView

/** As it is before anything has happened to it: there is nothing to be told but what the list says. */
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
 * The entity tag (RFC 9110 §8.8.3) of a view: the revision of the list, which `If-Match` is about. As soon as something
 * has happened to what is viewed, a digest of all that follows it, so that no cache takes one state for another.
 */
export class ViewTag {
  readonly #revision: number
  #digest: Hash | undefined

  constructor(revision: number) {
    this.#revision = revision
  }

  /** Of one more backend, as it is shown; `text` is that as JSON. */
  see(view: BackendView, text: string): void {
    if (!isUntouched(view)) this.add(text)
  }

  /** Of anything else that does not follow from the list. */
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
