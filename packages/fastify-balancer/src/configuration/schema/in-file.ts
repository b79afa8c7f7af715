import { hasParts, isSwitchable } from '@fastify-balancer/option-schema'
import { Kind, OptionalKind, Type, type TObject, type TSchema } from '@sinclair/typebox'
import { moduleExport, secret } from './reference.ts'

/** What stands in a file in place of an option, by its path (`rewrite.request`); `undefined` where it has no place there. */
export type Replacements = Readonly<Record<string, TSchema | undefined>>

/** Code, which a schema cannot describe: a file names a module's export instead, unless `inFile` says what may stand there. */
function isCode(schema: TSchema): boolean {
  return schema[Kind] === 'Any' || schema[Kind] === 'Function'
}

/** What can be switched off takes `false`, and `true` if it has parts. */
function memberInFile(schema: TSchema, replacements: Replacements, path: string): TSchema {
  if (!isSwitchable(schema)) return partInFile(schema, replacements, path)
  const { off: _, description = '', default: byDefault, ...own } = schema
  const forms = Array.isArray(own.anyOf) ? (own.anyOf as TSchema[]).filter((one) => one.const !== false) : [own]
  const switches = hasParts(schema) ? Type.Boolean() : Type.Literal(false)
  const inFile = forms.map((form) => partInFile(form, replacements, path))
  return Type.Union([...inFile, switches], { description, default: byDefault })
}

const described = ({ description = '' }: TSchema) => ({ description })

function partInFile(schema: TSchema, replacements: Replacements, path: string): TSchema {
  if (schema.inFile !== undefined)
    return { ...partInFile(schema.inFile as TSchema, replacements, path), ...described(schema) }
  if (isCode(schema)) return moduleExport(schema.description)
  // JSON Schema's word for what is never shown.
  if (schema['writeOnly'] === true)
    return secret(schema.description ?? '', { minLength: (schema['minLength'] as number | undefined) ?? 0 })
  if (schema.type === 'object' && schema.properties !== undefined)
    return objectInFile(schema as TObject, replacements, `${path}.`)
  if (Array.isArray(schema.anyOf))
    return { ...schema, anyOf: (schema.anyOf as TSchema[]).map((one) => memberInFile(one, replacements, path)) }
  if (schema.type === 'array') return { ...schema, items: memberInFile(schema.items as TSchema, replacements, path) }
  return schema
}

/** The options of a plugin as a file has them: what has a default may be left out, and code is named. */
export function objectInFile(schema: TObject, replacements: Replacements = {}, path = ''): TObject {
  const members = Object.entries(schema.properties).flatMap(([name, option]) => {
    const place = path + name
    const replaced = Object.hasOwn(replacements, place)
    const member = replaced ? replacements[place] : memberInFile(option, replacements, place)
    if (member === undefined) return []
    const required = option[OptionalKind] === undefined && option.default === undefined && !replaced
    return [[name, required ? member : Type.Optional(member)] as const]
  })
  const { properties: _, required: __, type: ___, ...options } = schema
  return Type.Object(Object.fromEntries<TSchema>(members), options)
}
