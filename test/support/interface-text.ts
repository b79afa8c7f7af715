import type { CodeTypes } from './code-types.ts'

/** What of a schema its type, and the text about it, are made of. */
export interface OptionSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, OptionSchema>>
  readonly patternProperties?: Readonly<Record<string, OptionSchema>>
  readonly required?: readonly string[] | undefined
  readonly items?: OptionSchema
  readonly additionalProperties?: unknown
  readonly anyOf?: readonly OptionSchema[]
  readonly const?: unknown
  readonly default?: unknown
  readonly description?: string
  readonly off?: unknown
}

/** As wide as all other source. */
const width = 120

const plainTypes: Readonly<Record<string, string>> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
}

/** A value as source text. */
function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)?.replaceAll(',', ', ')
}

/** What an editor says of the value that is taken if none is given. */
export function defaultOf({ default: value, description = '', properties }: OptionSchema): string | undefined {
  if (properties !== undefined) return undefined
  if (value !== undefined) return literal(value)
  // The description says what happens then.
  return /\b(?:given|without it|default)\b/i.test(description) ? undefined : 'none'
}

function wrapped(text: string, room: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < room) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** The text of one interface, and the imports that it needs. */
export class InterfaceText {
  /** The module of each name that is used. */
  readonly imports = new Map<string, string>()
  readonly #code: CodeTypes
  readonly #file: string

  /** `file`: where it will stand. */
  constructor(code: CodeTypes, file: string) {
    this.#code = code
    this.#file = file
  }

  /** As the file begins. */
  importLines(): string {
    const modules = new Map<string, string[]>()
    for (const [name, from] of this.imports) modules.set(from, [...(modules.get(from) ?? []), name])
    return [...modules]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([from, names]) => `import type { ${names.toSorted().join(', ')} } from '${from}'\n`)
      .join('')
  }

  /** An object with all its options, between braces. `parts`: the types of those that are not made from the schema. */
  block(
    { properties = {}, required = [], additionalProperties }: OptionSchema,
    parts: Readonly<Record<string, string>> = {},
    indent = '',
  ): string {
    const inner = `${indent}  `
    const options = Object.entries(properties).map(([name, schema]) => {
      const isNeeded = required.includes(name) && schema.default === undefined
      const type = parts[name] ?? this.#typeOf(name, schema, inner)
      // Without backticks, an `@` would begin a tag.
      if (!/^(?!.*(?:^|\s)@).+$/.test(schema.description ?? ''))
        throw new Error(`${this.#file}: the description of '${name}' is '${schema.description}'`)
      return `${comment(schema, inner, isNeeded)}${inner}${name}${isNeeded ? '' : '?'}: ${type}\n`
    })
    if (additionalProperties === true) options.push(`${inner}[option: string]: unknown\n`)
    return `{\n${options.join('')}${indent}}`
  }

  #typeOf(name: string, schema: OptionSchema, indent: string): string {
    const { off, anyOf } = schema
    if (off === undefined) return this.#ownTypeOf(name, schema, indent)
    const forms = anyOf === undefined ? schema : { ...schema, anyOf: anyOf.filter((one) => one.const !== false) }
    return `${this.#ownTypeOf(name, forms, indent)} | ${[schema, ...(anyOf ?? [])].some(({ type }) => type === 'object') ? 'boolean' : 'false'}`
  }

  #ownTypeOf(name: string, schema: OptionSchema, indent: string): string {
    const { anyOf, items, type = '', properties, patternProperties } = schema
    if (Object.hasOwn(schema, 'const')) return literal(schema.const)
    if (anyOf !== undefined) return [...new Set(anyOf.map((one) => this.#typeOf(name, one, indent)))].join(' | ')
    if (items !== undefined) {
      const item = this.#typeOf(name, items, indent)
      return `readonly ${item.includes(' | ') ? `(${item})` : item}[]`
    }
    if (properties !== undefined) return this.block(schema, {}, indent)
    if (plainTypes[type] !== undefined) return plainTypes[type]
    const written = this.#code.of(name, this.#file)
    for (const [one, from] of written?.imports ?? []) this.imports.set(one, from)
    if (written !== undefined) return written.text
    if (patternProperties !== undefined) return recordOf(patternProperties)
    throw new Error(`${this.#file}: the type of '${name}' is not known`)
  }
}

function recordOf(patternProperties: Readonly<Record<string, OptionSchema>>): string {
  const [{ type = '' } = {}] = Object.values(patternProperties)
  return `Record<string, ${plainTypes[type] ?? 'unknown'}>`
}

/** What an editor shows. */
function comment(schema: OptionSchema, indent: string, isNeeded: boolean): string {
  const byDefault = isNeeded ? undefined : defaultOf(schema)
  const text = (schema.description ?? '').replaceAll('*/', '*\\/')
  const lines = wrapped(text, width - indent.length - 3)
  if (byDefault !== undefined) lines.push(`@default ${byDefault}`)
  if (lines.length === 1 && indent.length + text.length + 7 <= width) return `${indent}/** ${text} */\n`
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`, ''].join('\n')
}
