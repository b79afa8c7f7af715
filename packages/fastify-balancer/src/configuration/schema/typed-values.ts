import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { changed } from './applied.ts'
import type { VariableUse } from '../document/variables.ts'

/** What a text means, where it can mean something else than itself. */
function meaningOf(text: string): number | boolean | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  // As JSON writes numbers: `08` and `1_000` are none.
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : undefined
}

/** Variables hold text. Where a value is one variable, and the schema takes the number or boolean that it holds, it is that. */
export function withTypedVariables(
  value: unknown,
  schema: TSchema,
  variables: ReadonlyMap<string, VariableUse>,
): unknown {
  if (variables.size === 0) return value
  return changed(value, schema, (part, [outer], pointer) => {
    if (typeof part !== 'string' || variables.get(pointer)?.whole !== true) return part
    const meaning = meaningOf(part)
    return meaning !== undefined && Value.Check(outer!, meaning) ? meaning : part
  })
}
