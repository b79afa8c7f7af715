import type { Static, TSchema } from '@sinclair/typebox'
import { withDefaults } from './defaults.ts'
import { faultsOf } from './faults/faults.ts'
import { withoutSecrets } from './quoted.ts'

/** Parsed options of a plugin. */
export interface Reading<Options> {
  /** With every default in place. */
  readonly options: Options
  /** Every fault, one line each; empty if they are valid. */
  readonly faults: readonly string[]
}

/** Fills in defaults, in a copy, and validates; `further` checks what a schema cannot, once the schema is satisfied. */
export function readOptions<Schema extends TSchema>(
  schema: Schema,
  given: unknown,
  further: (options: Static<Schema>) => readonly string[] = () => [],
): Reading<Static<Schema>> {
  const options = withDefaults(schema, given)
  const faults = faultsOf(schema, options)
  // A URL may have been given in the wrong place.
  return { options, faults: (faults.length > 0 ? faults : further(options)).map(withoutSecrets) }
}
