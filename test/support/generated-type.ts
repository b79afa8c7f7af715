import type { OptionSchema } from './interface-text.ts'

/** An interface that is written, and where. */
export interface GeneratedType {
  readonly name: string
  readonly schema: OptionSchema
  /** The file with the schema, below `packages`; the interface stands beside it. */
  readonly source: string
  readonly description: string
  /** The interface that it extends: what that holds is not written again. */
  readonly base?: { readonly name: string; readonly schema: OptionSchema }
  /** The types of options that have an interface elsewhere. */
  readonly parts?: Readonly<Record<string, string>>
  /** The module of each interface that stands elsewhere. */
  readonly imports?: Readonly<Record<string, string>>
}
