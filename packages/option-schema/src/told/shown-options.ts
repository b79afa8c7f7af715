// Room `told`: what logs, events and views say of options and of states.
import type { TSchema } from '@sinclair/typebox'
import { withoutSecrets } from '../quoted.ts'

const hiddenText = '(hidden)'

/** Options of these names are secrets wherever they are, unless a schema of ours says what they hold. */
const secretName = /secret|passphrase|passw|authorization|credential|token/i

/** Of an object called `tls` only these are shown: Node takes many more, and most of them are keys. */
const plainTls: ReadonlySet<string> = new Set([
  'caFile',
  'certFile',
  'keyFile',
  'names',
  'pins',
  'minVersion',
  'maxVersion',
  'servername',
  'rejectUnauthorized',
  'ciphers',
])

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)

/** Everything within it, without saying what it is: the names of its parts stay, since they tell what is set. */
function hiddenPart(value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(hiddenPart)
  if (!isPlain(value)) return hiddenText
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hiddenPart(one)]))
}

/** What is neither data nor to be looked into: code. */
function codeText(value: object): string {
  if (typeof value === 'function') return value.name === '' ? '[function]' : `[function ${value.name}]`
  if (value instanceof RegExp) return String(value)
  const { name = 'object' } = (value.constructor ?? {}) as { readonly name?: string }
  return `[${name}]`
}

/** The schemas that may describe the part of a value. */
function partOf({ anyOf, properties, items, patternProperties }: TSchema, name: string | number): TSchema[] {
  if (Array.isArray(anyOf)) return (anyOf as TSchema[]).flatMap((one) => partOf(one, name))
  const own = (properties as Readonly<Record<string, TSchema>> | undefined)?.[name]
  const any = Object.values((patternProperties as Readonly<Record<string, TSchema>> | undefined) ?? {})
  return [own, typeof name === 'number' ? (items as TSchema | undefined) : undefined, ...any].filter(
    (one) => one !== undefined,
  )
}

const isSecret = (schemas: readonly TSchema[]) => schemas.some((schema) => schema['writeOnly'] === true)

/**
 * Options as plain data that may be shown: without what their schema calls `writeOnly`, without what is at one of the `hidden`
 * places (`headers`, and everything in it), and without names, passwords and queries in URLs. Functions are
 * `[function name]`.
 */
export function shownOptions(
  options: unknown,
  { schema, hidden = [] }: { readonly schema?: TSchema; readonly hidden?: readonly string[] } = {},
): unknown {
  function shown(value: unknown, schemas: readonly TSchema[], place: string, within: ReadonlySet<object>): unknown {
    if (isSecret(schemas) || hidden.includes(place)) return hiddenPart(value)
    if (typeof value === 'string') return withoutSecrets(value)
    if (typeof value === 'function') return codeText(value)
    if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value
    if (within.has(value)) return '[circular]'
    const inside = new Set(within).add(value)
    const part = (one: unknown, name: string | number) =>
      shown(
        one,
        schemas.flatMap((each) => partOf(each, name)),
        place === '' ? String(name) : `${place}.${name}`,
        inside,
      )
    if (Array.isArray(value)) return value.map(part)
    if (!isPlain(value)) return codeText(value)
    const isTls = /(^|\.)tls$/.test(place)
    const isHidden = (name: string) => secretName.test(name) || (isTls && !plainTls.has(name))
    const known = Object.entries(value).filter(([, one]) => one !== undefined)
    return Object.fromEntries(known.map(([name, one]) => [name, isHidden(name) ? hiddenPart(one) : part(one, name)]))
  }
  return shown(options, schema === undefined ? [] : [schema], '', new Set())
}
