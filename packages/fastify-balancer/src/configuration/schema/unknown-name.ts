import type { TSchema } from '@sinclair/typebox'
import { nearName } from '@fastify-balancer/option-schema'
import { knownNames } from './applied.ts'

type Properties = Readonly<Record<string, TSchema>>

/** The objects that a part of the file is, holds in a list, or may be. */
function objectsIn(schema: TSchema): readonly TSchema[] {
  if (Array.isArray(schema.anyOf)) return (schema.anyOf as TSchema[]).flatMap(objectsIn)
  if (schema.type === 'array') return objectsIn(schema.items as TSchema)
  return schema.type === 'object' ? [schema] : []
}

/** The objects of a part of a balancer or of the file. */
function partOf({ properties }: TSchema, name: string): readonly TSchema[] {
  const part = (properties as Properties | undefined)?.[name]
  return part === undefined ? [] : objectsIn(part)
}

/** Where else in the file an option is known by this name: at the top, in one of the parts there, or at each backend. */
function placeFor(name: string, file: TSchema): string | undefined {
  const atTop = nearName(name, knownNames(file))
  if (atTop !== undefined) return `\`${atTop}\` belongs at the top of the file`
  for (const part of ['balancers', 'listen']) {
    const near = nearName(name, partOf(file, part).flatMap(knownNames))
    if (near !== undefined) return `\`${near}\` belongs in \`${part}\``
  }
  const ofBackend = nearName(
    name,
    partOf(file, 'balancers')
      .flatMap((one) => partOf(one, 'backends'))
      .flatMap(knownNames),
  )
  return ofBackend === undefined ? undefined : `\`${ofBackend}\` belongs to each of \`backends\``
}

/** What is wrong with a name that is not known: which one was probably meant, or where it belongs. */
export function unknownName(name: string, schema: TSchema, file: TSchema): string {
  const known = knownNames(schema)
  const near = nearName(name, known)
  if (near !== undefined) return `unknown option: did you mean \`${near}\`?`
  const place = placeFor(name, file)
  if (place !== undefined) return `unknown option: ${place}`
  return `unknown option: expected one of ${known.map((one) => `\`${one}\``).join(', ')}`
}
