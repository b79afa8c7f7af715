// Room `headers`: header fields of requests and responses.
/** Header fields by lower-case name; a name that occurs several times has an array, one that is undefined is left out. */
export type HeaderFields = Record<string, string | number | string[] | undefined>

/** Header fields as undici or Fastify provides them. */
export type IncomingFields = Record<string, number | string | string[] | undefined>

/** An empty object for fields; without a prototype, so that no field is confused with an inherited property. */
export function emptyFields(): HeaderFields {
  return Object.create(null) as HeaderFields
}

/** Adds a field; others of the same name stay. */
export function putField(fields: HeaderFields, name: string, value: string): void {
  const earlier = fields[name]
  if (earlier === undefined) fields[name] = value
  else fields[name] = Array.isArray(earlier) ? [...earlier, value] : [`${earlier}`, value]
}

/** The first value of a field in flat pairs; `name` is in lower case. */
export function fieldOf(flat: readonly string[], name: string): string | undefined {
  const index = flat.findIndex((one, at) => at % 2 === 0 && one.toLowerCase() === name)
  return index === -1 ? undefined : flat[index + 1]
}

/** Flat pairs to fields. */
export function toFields(flat: readonly string[]): HeaderFields {
  const fields = emptyFields()
  for (let index = 0; index < flat.length; index += 2) putField(fields, flat[index]!.toLowerCase(), flat[index + 1]!)
  return fields
}

/** Fields to flat pairs; a field set to undefined is left out. */
export function toFlat(fields: HeaderFields): string[] {
  const flat: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) flat.push(name, `${one}`)
  }
  return flat
}
