import type { TSchema } from '@sinclair/typebox'
import { FileSchema } from './file-schema.ts'

type JsonSchema = Readonly<Record<string, unknown>>

/** One variable and nothing else, which may stand for a number. */
const wholeVariable = '^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\\}$'

/** A text with a variable in it, about whose form nothing is known yet. */
const anyVariable = '\\$\\{'

/** Is it a choice among texts and the like, which an editor lists? */
function isEnumeration(choices: readonly JsonSchema[]): boolean {
  return choices.every((one) => one['const'] !== undefined)
}

/** What a value may be, with the variables that may stand in its place. */
function withVariables(schema: JsonSchema): JsonSchema {
  const { type, pattern, enum: names, const: literal } = schema
  const isText = type === 'string' || typeof literal === 'string' || Array.isArray(names)
  const isUnlimited = type === 'string' && pattern === undefined
  if (type === 'object' || type === 'array' || isUnlimited) return schema
  const { description, default: byDefault, ...own } = schema
  return {
    ...(description !== undefined && { description }),
    ...(byDefault !== undefined && { default: byDefault }),
    anyOf: [own, { type: 'string', pattern: isText ? anyVariable : wholeVariable }],
  }
}

function mapped(record: unknown): JsonSchema | undefined {
  if (record === undefined) return undefined
  return Object.fromEntries(
    Object.entries(record as Record<string, JsonSchema>).map(([key, one]) => [key, converted(one)]),
  )
}

/** A choice: its texts in one list, which editors offer, and all else side by side. */
function choiceOf(schema: JsonSchema): JsonSchema {
  const { anyOf, expected: _, ...rest } = schema
  const choices = anyOf as readonly JsonSchema[]
  if (isEnumeration(choices)) return withVariables({ ...rest, enum: choices.map((one) => one['const']) })
  const parts = choices.map(converted).flatMap((one) => {
    // Choices of choices are one list of them.
    const isPlainChoice = Array.isArray(one['anyOf']) && Object.keys(one).length === 1
    return isPlainChoice ? (one['anyOf'] as JsonSchema[]) : [one]
  })
  const distinct = new Map(parts.map((one) => [JSON.stringify(one), one]))
  return { ...rest, anyOf: [...distinct.values()] }
}

/** One part of the schema as editors understand it. */
function converted(schema: JsonSchema): JsonSchema {
  if (Array.isArray(schema['anyOf'])) return choiceOf(schema)
  // `expected` says in words what `pattern` does; it is not JSON Schema's.
  const { properties, patternProperties, items, expected: _, ...rest } = schema
  return withVariables({
    ...rest,
    ...(properties !== undefined && { properties: mapped(properties) }),
    ...(patternProperties !== undefined && { patternProperties: mapped(patternProperties) }),
    ...(items !== undefined && { items: converted(items as JsonSchema) }),
  })
}

/** The schema of the file, for editors: the same as what checks it, but that variables may stand for numbers and names. */
export function jsonSchema(): JsonSchema {
  // What is not JSON of TypeBox's own is left behind.
  const plain = JSON.parse(JSON.stringify(FileSchema)) as JsonSchema & TSchema
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of fastify-balancer',
    ...converted(plain),
  }
}
