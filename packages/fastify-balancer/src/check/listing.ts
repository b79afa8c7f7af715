import { withDefaults, withoutSecrets } from '@fastify-balancer/option-schema'
import { stringify } from 'yaml'
import { within } from '../configuration/document/fault.ts'
import type { Origin } from '../configuration/reading.ts'
import { changed, isPlain } from '../configuration/schema/applied.ts'
import { FileSchema } from '../configuration/schema/file-schema.ts'

type Origins = ReadonlyMap<string, Origin>

/** A line of YAML, and where its value comes from, if it has one. */
interface Line {
  readonly text: string
  readonly origin?: string
}

/** Comments stand below each other, unless a line is longer than this. */
const mostColumns = 60

function originText(origin: Origin | undefined): string {
  if (origin === undefined) return 'default'
  const { line, variables, source } = origin
  return [`line ${line}`, ...variables.map((name) => `\${${name}}`), ...(source === undefined ? [] : [source])].join(
    ', ',
  )
}

/** On one line, as YAML. */
function inline(value: unknown): string {
  const text = typeof value === 'string' ? withoutSecrets(value) : value
  return stringify(text, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trimEnd()
}

/** Has it parts with origins of their own? */
function hasParts(value: unknown, pointer: string, origins: Origins): value is object {
  if (isPlain(value)) return Object.keys(value).length > 0
  return Array.isArray(value) && value.length > 0 && origins.has(within(pointer, 0))
}

/** Collects the lines of a value. */
class Lines {
  readonly lines: Line[] = []
  readonly #origins: Origins

  constructor(origins: Origins) {
    this.#origins = origins
  }

  /** The members of a mapping, the first of them after `lead`, the others below it. */
  addMembers(mapping: Readonly<Record<string, unknown>>, pointer: string, lead: string): void {
    const indent = ' '.repeat(lead.length)
    for (const [index, [name, value]] of Object.entries(mapping).entries())
      this.#addMember(`${index === 0 ? lead : indent}${inline(name)}:`, value, within(pointer, name), indent)
  }

  #addMember(key: string, value: unknown, pointer: string, indent: string): void {
    if (this.#addLeaf(`${key} `, value, pointer)) return
    this.lines.push({ text: key })
    if (isPlain(value)) this.addMembers(value, pointer, `${indent}  `)
    else this.#addItems(value as readonly unknown[], pointer, `${indent}  - `)
  }

  #addItems(items: readonly unknown[], pointer: string, lead: string): void {
    for (const [index, item] of items.entries()) {
      const place = within(pointer, index)
      if (!this.#addLeaf(lead, item, place)) this.addMembers(item as Readonly<Record<string, unknown>>, place, lead)
    }
  }

  /** A value of one line, if it is one. */
  #addLeaf(lead: string, value: unknown, pointer: string): boolean {
    const origin = this.#origins.get(pointer)
    const isHidden = origin?.secret === true
    const isElsewhere = isHidden || origin?.source !== undefined
    if (!isElsewhere && hasParts(value, pointer, this.#origins)) return false
    // No secret is shown; and code, or what stands in a file, is only named.
    const text = isHidden ? '(secret)' : inline(origin?.source ?? value)
    this.lines.push({ text: lead + text, origin: originText(origin) })
    return true
  }
}

/** With every default, and with `{}` for `true` where that stands for options. */
function inForce(value: unknown): unknown {
  const explicit = changed(value, FileSchema, (part, schemas) => {
    const choices = (schemas[0]!.anyOf ?? []) as readonly { readonly type?: string }[]
    return part === true && choices.some(({ type }) => type === 'object') ? {} : part
  })
  return withDefaults(FileSchema, explicit)
}

/** The configuration as in force: every option with its value and where that comes from, as YAML. */
export function listing(value: unknown, origins: Origins): string {
  const whole = new Lines(origins)
  whole.addMembers(inForce(value) as Readonly<Record<string, unknown>>, '', '')
  const { lines } = whole
  const widths = lines.map(({ text, origin }) => (origin === undefined || text.length > mostColumns ? 0 : text.length))
  const width = Math.max(...widths)
  return lines
    .map(({ text, origin }) => `${origin === undefined ? text : `${text.padEnd(width)}  # ${origin}`}\n`)
    .join('')
}
