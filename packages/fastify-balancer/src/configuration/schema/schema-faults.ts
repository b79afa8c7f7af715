import type { TSchema } from '@sinclair/typebox'
import { expected, nearName } from '@fastify-balancer/option-schema'
import { Value } from '@sinclair/typebox/value'
import { within, type PlacedFault } from '../document/fault.ts'
import { branchFor, isPlain, knownNames, memberSchema } from './applied.ts'
import { unknownName } from './unknown-name.ts'

/** What would do, in words. */
function wordsFor(schema: TSchema): string {
  const { anyOf, const: literal, type, expected: said } = schema
  if (typeof said === 'string') return said
  if (literal !== undefined) return JSON.stringify(literal)
  if (Array.isArray(anyOf)) return [...new Set((anyOf as TSchema[]).map(wordsFor))].join(' or ')
  const names = knownNames(schema)
  if (names.length > 0 && names.length < 3) return `{ ${names.join(', ')} }`
  const kinds: Readonly<Record<string, string>> = {
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    object: 'a mapping',
    array: 'a list',
  }
  return kinds[String(type)] ?? 'something else'
}

const booleans: Readonly<Record<string, boolean>> = { yes: true, on: true, y: true, no: false, off: false, n: false }

/** What to do about a value of the wrong kind, if that can be guessed. */
function remedyFor(schema: TSchema, value: unknown): string {
  if (value === null) return 'it is empty: give it a value, or remove the line'
  if (typeof value === 'string') {
    const { [value.toLowerCase()]: boolean } = booleans
    if (boolean !== undefined && Value.Check(schema, boolean)) return `write ${boolean}`
    if (/^-?\d+(\.\d+)?$/.test(value) && Value.Check(schema, Number(value))) return 'write it without quotes'
    if ((value === 'true' || value === 'false') && Value.Check(schema, value === 'true'))
      return 'write it without quotes'
    const near = nearName(value, literalsOf(schema))
    if (near !== undefined) return `did you mean ${near}?`
  } else if ((typeof value === 'number' || typeof value === 'boolean') && Value.Check(schema, String(value)))
    return 'write it in quotes'
  return ''
}

function literalsOf({ anyOf, const: literal }: TSchema): readonly string[] {
  if (typeof literal === 'string') return [literal]
  return Array.isArray(anyOf) ? (anyOf as TSchema[]).flatMap(literalsOf) : []
}

function kindFault(schema: TSchema, value: unknown): string {
  const remedy = remedyFor(schema, value)
  return `expected ${wordsFor(schema)}${remedy === '' ? '' : `; ${remedy}`}`
}

/** What is wrong with a value of the right kind: its length, its size, its form. */
function detailFault(schema: TSchema): string {
  const { pattern, minLength } = schema
  if (pattern !== undefined) return `does not have the form ${String(pattern)}`
  if (minLength === 1) return 'must not be empty'
  return `expected ${expected(schema) ?? wordsFor(schema)}`
}

function* memberFaults(
  schema: TSchema,
  value: Readonly<Record<string, unknown>>,
  pointer: string,
  file: TSchema,
): Generator<PlacedFault> {
  for (const [name, part] of Object.entries(value)) {
    const member = memberSchema(schema, name)
    const place = within(pointer, name)
    if (member !== undefined) yield* schemaFaults(member, part, place, file)
    else if (schema.additionalProperties === false)
      yield { pointer: place, ofKey: true, message: unknownName(name, schema, file) }
  }
  // A member that is misspelt is not missing, too.
  const meant = new Set(Object.keys(value).map((name) => nearName(name, knownNames(schema))))
  for (const name of (schema.required ?? []) as readonly string[])
    if (!Object.hasOwn(value, name) && !meant.has(name)) yield { pointer, message: `\`${name}\` is missing` }
}

/** Every way in which a value breaks a schema, each at the innermost place. `file` is the schema of the whole. */
export function* schemaFaults(schema: TSchema, value: unknown, pointer = '', file = schema): Generator<PlacedFault> {
  // To look for faults costs ten times as much as to see that there are none.
  if (isValid(schema, value)) return
  if (Array.isArray(schema.anyOf)) {
    const branch = branchFor(value, schema.anyOf as TSchema[])
    const wrongName = nameFault(value, schema.anyOf as TSchema[], pointer)
    if (wrongName !== undefined) yield wrongName
    else if (branch === undefined) yield { pointer, message: choiceFault(schema, value) }
    else yield* schemaFaults(branch, value, pointer, file)
  } else if (schema.type === 'object' && isPlain(value)) yield* memberFaults(schema, value, pointer, file)
  else if (schema.type === 'array' && Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* schemaFaults(schema.items as TSchema, item, within(pointer, index), file)
    if (value.length < ((schema.minItems as number | undefined) ?? 0)) yield { pointer, message: 'must not be empty' }
  } else yield { pointer, message: isOfKind(schema, value) ? detailFault(schema) : kindFault(schema, value) }
}

/** Where a mapping says by `name` what it is, and nothing has that name, all else that could be said of it is a guess. */
function nameFault(value: unknown, choices: readonly TSchema[], pointer: string): PlacedFault | undefined {
  if (!isPlain(value) || !Object.hasOwn(value, 'name')) return undefined
  const names = choices.map((choice) => memberSchema(choice, 'name')).filter((name) => name !== undefined)
  const literals = names.flatMap(literalsOf)
  if (literals.length < 2 || names.some((name) => isValid(name, value['name']))) return undefined
  return { pointer: within(pointer, 'name'), message: kindFault({ anyOf: names } as unknown as TSchema, value['name']) }
}

// Its own answer narrows the type of the value, to `never` where that is not known.
const isValid: (schema: TSchema, value: unknown) => boolean = Value.Check

function isOfKind({ type, const: literal }: TSchema, value: unknown): boolean {
  if (literal !== undefined) return false
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return isPlain(value)
  if (type === 'array') return Array.isArray(value)
  return typeof value === type
}

/** A value that fits none: if it is a text or number, and one takes its kind, it is that one's fault. */
function choiceFault(schema: TSchema, value: unknown): string {
  const near = isPlain(value) ? undefined : (schema.anyOf as TSchema[]).find((one) => isOfKind(one, value))
  const remedy = remedyFor(schema, value)
  return near === undefined || remedy !== '' ? kindFault(schema, value) : detailFault(near)
}
