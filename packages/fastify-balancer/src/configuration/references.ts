import type { TSchema } from '@sinclair/typebox'
import type { PlacedFault } from './document/fault.ts'
import { load, type Loaded, type Reference } from './loading.ts'
import { changed } from './schema/applied.ts'
import { roleOf } from './schema/reference.ts'

/** A document in which what stands elsewhere was put in its place. */
export interface Resolved {
  readonly value: unknown
  readonly faults: readonly PlacedFault[]
  /** Every file that it depends on, absolute: read, or named to be read later. */
  readonly files: readonly string[]
  /** From where a value came that does not stand in the document itself, by JSON pointer: `./secrets/token`. */
  readonly sources: ReadonlyMap<string, string>
  /** What must never be shown, by JSON pointer. */
  readonly secrets: ReadonlySet<string>
  /** Where something is named that could not be had. */
  readonly missing: readonly string[]
}

/** What has a role, and is well enough formed to be looked at. */
function referencesIn(value: unknown, schema: TSchema, faulty: ReadonlySet<string>): readonly Reference[] {
  const found: Reference[] = []
  changed(value, schema, (part, schemas, pointer) => {
    const role = roleOf(schemas.at(-1)!)
    const isFaulty = [...faulty].some((one) => one === pointer || one.startsWith(`${pointer}/`))
    if (role !== undefined && !isFaulty) found.push({ role, pointer, value: part })
    return part
  })
  return found
}

/** Reads the files and loads the modules that a document names, relative to `folder`, except in `faulty` places. */
export async function resolveReferences(
  value: unknown,
  schema: TSchema,
  folder: string,
  faulty: ReadonlySet<string>,
): Promise<Resolved> {
  const references = referencesIn(value, schema, faulty)
  const loaded = new Map<string, Loaded>()
  await Promise.all(references.map(async (one) => loaded.set(one.pointer, await load(one, folder))))
  const all = references.map((one) => [one, loaded.get(one.pointer)!] as const)
  return {
    value: changed(value, schema, (part, _, pointer) => loaded.get(pointer)?.value ?? part),
    faults: all.flatMap(([, { fault }]) => fault ?? []),
    files: [...new Set(all.flatMap(([, { file }]) => file ?? []))],
    sources: new Map(all.flatMap(([{ pointer }, { source }]) => (source === undefined ? [] : [[pointer, source]]))),
    missing: all.flatMap(([{ pointer }, { fault }]) => (fault === undefined ? [] : pointer)),
    secrets: new Set(all.flatMap(([{ pointer, role }]) => (role === 'secret' || role === 'content' ? pointer : []))),
  }
}
