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

function leafLine(value: unknown, origin: Origin | undefined): Line {
  // No secret is shown; and code, or what stands in a file, is only named.
  const hidden = origin?.secret === true ? '(secret)' : undefined
  return { text: hidden ?? inline(origin?.source ?? value), origin: originText(origin) }
}

function linesOf(value: unknown, pointer: string, origins: Origins): readonly Line[] {
  const origin = origins.get(pointer)
  if (origin?.secret === true || origin?.source !== undefined || !hasParts(value, pointer, origins))
    return [leafLine(value, origin)]
  if (Array.isArray(value))
    return value.flatMap((item, index) =>
      linesOf(item, within(pointer, index), origins).map(({ text, ...rest }, number) => ({
        text: `${number === 0 ? '- ' : '  '}${text}`,
        ...rest,
      })),
    )
  return Object.entries(value).flatMap(([name, part]) => {
    const place = within(pointer, name)
    const lines = linesOf(part, place, origins)
    const [first] = lines
    const key = inline(name)
    if (lines.length === 1 && first !== undefined && !hasParts(part, place, origins))
      return [{ ...first, text: `${key}: ${first.text}` }]
    return [{ text: `${key}:` }, ...lines.map(({ text, ...rest }) => ({ text: `  ${text}`, ...rest }))]
  })
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
  const lines = linesOf(inForce(value), '', origins)
  const widths = lines.map(({ text, origin }) => (origin === undefined || text.length > mostColumns ? 0 : text.length))
  const width = Math.max(...widths)
  return lines
    .map(({ text, origin }) => `${origin === undefined ? text : `${text.padEnd(width)}  # ${origin}`}\n`)
    .join('')
}
