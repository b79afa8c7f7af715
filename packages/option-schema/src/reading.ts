import type { Static, TSchema } from '@sinclair/typebox'
import { withDefaults } from './defaults.ts'
import { faultsOf } from './faults/faults.ts'
import { withoutSecrets } from './quoted.ts'

/** What was made of the options of a plugin. */
export interface Reading<Options> {
  /** With every default in place. */
  readonly options: Options
  /** Everything that is wrong, one line each; none if they can be used. */
  readonly faults: readonly string[]
}

/** Fills in what is missing, in a copy, and checks it; `further` says what no schema can, once the schema is satisfied. */
export function readOptions<Schema extends TSchema>(
  schema: Schema,
  given: unknown,
  further: (options: Static<Schema>) => readonly string[] = () => [],
): Reading<Static<Schema>> {
  const options = withDefaults(schema, given)
  const faults = faultsOf(schema, options)
  // Somebody may have put a URL where it does not belong.
  return { options, faults: (faults.length > 0 ? faults : further(options)).map(withoutSecrets) }
}
