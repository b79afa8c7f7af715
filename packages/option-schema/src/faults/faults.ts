// Room `faults`: what is wrong with a value, in words: what was expected, what was given, which name was probably meant.
import type { TSchema } from '@sinclair/typebox'
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value'
import { withDefaults } from '../defaults.ts'
import { expected, literalsOf } from './expected.ts'
import { nearName } from './near-name.ts'
import { otherWords } from './other-words.ts'
import { shown, shownKind } from './shown.ts'

/** More names than these do not help who reads them. */
const mostListed = 12

/** The names that an object may have. */
function namesIn({ properties }: TSchema): readonly string[] {
  return Object.keys((properties as object | undefined) ?? {})
}

/** Every path below a schema, the short ones first. */
function pathsIn(schema: TSchema): readonly string[] {
  const parts = (schema['properties'] ?? {}) as Readonly<Record<string, TSchema>>
  const deeper = Object.entries(parts).flatMap(([name, part]) =>
    pathsIn((part['anyOf'] as TSchema[] | undefined)?.find((one) => one['type'] === 'object') ?? part).map(
      (path) => `${name}.${path}`,
    ),
  )
  return [...namesIn(schema), ...deeper]
}

/** The place of an option that this name, given elsewhere, may have meant. */
function pathFor(name: string, root: TSchema): string | undefined {
  const paths = pathsIn(root).filter((path) => path.includes('.'))
  const meant = otherWords(name.toLowerCase().replaceAll(/[^a-z\d]/g, ''))
  return meant.find((path) => paths.includes(path)) ?? paths.find((path) => path.endsWith(`.${name}`))
}

/** What is wrong with an option that is not known: which one was probably meant. */
export function unknownOption(name: string, parent: TSchema, root: TSchema = parent): string {
  const names = namesIn(parent)
  const near = nearName(name, names) ?? pathFor(name, root)
  if (near !== undefined) return `unknown option (did you mean ${near}?)`
  return names.length > mostListed || names.length === 0
    ? 'unknown option'
    : `unknown option (there are: ${names.join(', ')})`
}

/** What was expected, and what was given. */
function mismatch({ schema, message, value }: ValueError, at: string): string {
  const wanted = expected(schema) ?? `${message[0]!.toLowerCase()}${message.slice(1)}`.replace(/^expected /, '')
  const near = typeof value === 'string' ? nearName(value, literalsOf(schema)) : undefined
  // A secret of digits only, without quotes in a YAML file, is a number.
  if (schema['writeOnly'] === true && typeof value === 'number') return `expected ${wanted}, got a number`
  const given = /\ban (?:object|array)\b/.test(wanted) ? shownKind(value) : shown(value, at)
  return `expected ${wanted}, got ${given}${near === undefined ? '' : ` (did you mean '${near}'?)`}`
}

/** The names on the way to a value: a JSON pointer (RFC 6901), in which they are escaped. */
function namesOn(pointer: string): readonly string[] {
  const names = pointer.split('/').slice(1)
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Of a choice, the object that a value is meant to be: the only one, or the only one that has a name in common with it. */
function objectMeant({ anyOf }: TSchema, value: unknown): TSchema | undefined {
  if (!Array.isArray(anyOf) || typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const objects = (anyOf as TSchema[]).filter(({ type }) => type === 'object')
  if (objects.length === 1) return objects[0]
  const near = objects.filter((one) => namesIn(one).some((name) => Object.hasOwn(value, name)))
  return near.length === 1 ? near[0] : undefined
}

function addFaults(faults: Map<string, string>, schema: TSchema, value: unknown, place: string, root: TSchema): void {
  for (const error of Value.Errors(schema, value)) {
    const names = namesOn(error.path)
    const at = [...(place === '' ? [] : [place]), ...names].join('.')
    // The first fault of a place is the one that says most.
    if (faults.has(at)) continue
    const meant = error.type === ValueErrorType.Union ? objectMeant(error.schema, error.value) : undefined
    if (meant !== undefined) {
      // Defaults of a choice are filled in only where the rest of it is right.
      addFaults(faults, meant, withDefaults(meant, error.value), at, root)
      continue
    }
    const isUnknown = error.type === ValueErrorType.ObjectAdditionalProperties
    const text = isUnknown ? unknownOption(names.at(-1)!, error.schema, root) : mismatch(error, at)
    faults.set(at, at === '' ? text : `${at}: ${text}`)
  }
}

/**
 * Every way in which `value` breaks `schema`, one line each: the place, what was expected, and what was given. `place` is
 * where the value itself stands.
 */
export function faultsOf(schema: TSchema, value: unknown, place = ''): string[] {
  // To look for faults costs ten times as much as to see that there are none.
  if (Value.Check(schema, value)) return []
  const faults = new Map<string, string>()
  addFaults(faults, schema, value, place, schema)
  return [...faults.values()]
}
