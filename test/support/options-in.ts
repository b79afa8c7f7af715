/** What of a schema is needed to list its options. */
export interface ListedSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, ListedSchema>>
  readonly default?: unknown
  readonly description?: string
  readonly anyOf?: readonly ListedSchema[]
  readonly items?: ListedSchema
  readonly additionalProperties?: unknown
}

/** One option, by the path to it: `retry.budget.ratio`. */
export interface ListedOption<Schema extends ListedSchema> {
  readonly path: string
  readonly option: Schema
}

/** Every option of a schema, those within others included, in order. */
export function optionsIn<Schema extends ListedSchema>(schema: Schema, path = ''): ListedOption<Schema>[] {
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, Schema>>)
  return properties.flatMap(([name, option]) => {
    const own = { path: `${path}${name}`, option }
    if (option.properties !== undefined) {
      const inner = optionsIn(option, `${path}${name}.`)
      return option.additionalProperties === true ? [own, ...inner] : inner
    }
    // What is off by default has parts of its own when it is on.
    const parts = [option.items, ...(option.anyOf ?? [])].find((one) => one?.properties !== undefined) as
      | Schema
      | undefined
    return path !== '' || parts === undefined || name === 'backends'
      ? [own]
      : [own, ...optionsIn(parts, `${path}${name}.`)]
  })
}
