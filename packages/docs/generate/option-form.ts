import type { CodeTypes } from '../../../test/support/code-types.ts'
import type { ListedSchema } from '../../../test/support/options-in.ts'

/** A schema with all that says which values are legal. */
export interface BoundedSchema extends ListedSchema {
  readonly properties?: Readonly<Record<string, BoundedSchema>>
  readonly patternProperties?: Readonly<Record<string, BoundedSchema>>
  readonly anyOf?: readonly BoundedSchema[]
  readonly items?: BoundedSchema
  readonly const?: unknown
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly minItems?: number
  /** What a pattern asks for, in words. */
  readonly expected?: string
  /** What `false` stands for, if it may be given. */
  readonly off?: unknown
}

/** As large as a timer can be: not worth a word. */
const anySize = 2_147_483_647

function range({ minimum, exclusiveMinimum, maximum = anySize }: BoundedSchema): string {
  if (exclusiveMinimum !== undefined) return ` > ${exclusiveMinimum}${maximum < anySize ? `, ≤ ${maximum}` : ''}`
  if (minimum === undefined) return maximum < anySize ? ` ≤ ${maximum}` : ''
  return maximum < anySize ? ` ${minimum}–${maximum}` : ` ≥ ${minimum}`
}

const hasParts = ({ type, anyOf = [] }: BoundedSchema): boolean => type === 'object' || anyOf.some(hasParts)

const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : String(value))

/** The types of options that no schema describes, by name: those of the package itself first. */
export type WrittenTypes = readonly CodeTypes[]

/** The type of an option and its legal values: `integer ≥ 0`, `'http1' | 'h2c'`. Empty if any value is legal. */
export function formOf(name: string, schema: BoundedSchema, types: WrittenTypes): string {
  const forms = ownForms(name, schema, types)
  if (Object.hasOwn(schema, 'off')) forms.push('false', ...(hasParts(schema) ? ['true'] : []))
  const all = [...new Set(forms)].filter((form) => form !== '')
  // Both of them are a switch.
  if (all.includes('true') && all.includes('false'))
    return [...all.filter((form) => form !== 'true' && form !== 'false'), 'boolean'].join(' | ')
  return all.join(' | ')
}

/** What people call a type that stands for several. */
const spoken: Readonly<Record<string, string>> = { ChosenPolicy: 'string | object', PolicyOption: 'string | object' }

function ownForms(name: string, schema: BoundedSchema, types: WrittenTypes): string[] {
  const { type, anyOf, items, properties, patternProperties, expected, minItems = 0 } = schema
  if (Object.hasOwn(schema, 'const')) return [literal(schema.const)]
  if (anyOf !== undefined) return anyOf.flatMap((one) => formOf(name, one, types).split(' | '))
  if (items !== undefined) {
    const item = formOf(name, items, types)
    return [`${item.includes(' | ') ? `(${item})` : item}[]${minItems > 0 ? `, ${minItems} or more` : ''}`]
  }
  if (type === 'integer' || type === 'number') return [`${type}${range(schema)}`]
  if (type === 'string') return [expected ?? 'string']
  if (type === 'boolean') return [type]
  if (properties !== undefined || patternProperties !== undefined) return ['object']
  const written = types.map((one) => one.of(name, '')).find((one) => one !== undefined)?.text
  return written === undefined ? [''] : (spoken[written] ?? written.replaceAll(/\s+/g, ' ')).split(' | ')
}

/** The unit of a number, as its description has it. */
export function unitOf({ type, anyOf = [], description = '' }: BoundedSchema): string {
  const isNumber = [{ type }, ...anyOf].some((one) => one.type === 'integer' || one.type === 'number')
  if (!isNumber) return ''
  const [, unit = ''] = /[(\s](ms|bytes per second|bytes|seconds|s|%)(?=[);,.])/.exec(description) ?? []
  return unit === 'seconds' ? 's' : unit
}
