import { dirname, resolve } from 'node:path'
import type { Configuration } from './configuration.ts'
import { configurationOf } from './configuration-of.ts'
import { readDocument, type Document } from './document/document.ts'
import { textOf } from './document/text-file.ts'
import type { Fault, PlacedFault } from './document/fault.ts'
import { fileFaults } from './file-faults.ts'
import { inspectNamedFiles } from './named-files.ts'
import { resolveReferences, type Resolved } from './references.ts'
import { schemaFaults } from './schema/schema-faults.ts'
import { FileSchema } from './schema/file-schema.ts'
import { isPlain } from './schema/applied.ts'
import { withTypedVariables } from './schema/typed-values.ts'
import { substitute, withVariable, type VariableUse } from './document/variables.ts'

/** Where a value comes from. */
export interface Origin {
  /** Of the file, from 1. */
  readonly line: number
  /** The environment variables in it. */
  readonly variables: readonly string[]
  /** The file or module that holds it, as the file names it. */
  readonly source?: string
  /** It must not be shown. */
  readonly secret: boolean
}

/** What was made of a file. */
export interface ConfigurationReading {
  /** Undefined if anything is wrong. */
  readonly configuration?: Configuration
  /** Everything that is wrong, in the order of the file. */
  readonly faults: readonly Fault[]
  /** What is odd, and can be used all the same. */
  readonly warnings: readonly Fault[]
  /** Every file that it depends on, absolute; itself is the first. All are to be watched, also if something is wrong. */
  readonly files: readonly string[]
  /** Of everything that stands in the file, by JSON pointer: `/balancers/0/policy`. */
  readonly origins: ReadonlyMap<string, Origin>
  /** What the file says, with variables and files put in, by the names of the file; for those who print it. */
  readonly value: unknown
  /** The text, for excerpts; `''` if it could not be read. */
  readonly text: string
  /** Gives what was found out later the line and column of what it is about. */
  readonly placed: (fault: PlacedFault) => Fault
}

/** The environment, from which variables come. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Those of the second list whose places, and what they are part of, are not named in the first. */
function notNamedIn(
  known: readonly Pick<PlacedFault, 'pointer'>[],
  faults: readonly PlacedFault[],
): readonly PlacedFault[] {
  const named = new Set(known.map(({ pointer }) => pointer))
  const isKnown = (pointer: string): boolean =>
    named.has(pointer) || (pointer !== '' && isKnown(pointer.slice(0, pointer.lastIndexOf('/'))))
  return faults.filter(({ pointer, ofKey }) => ofKey === true || !isKnown(pointer))
}

function oddities(value: unknown): readonly PlacedFault[] {
  const balancers = isPlain(value) && Array.isArray(value['balancers']) ? value['balancers'] : []
  return balancers.flatMap((balancer: unknown, index) => {
    const { backends = [] } = isPlain(balancer) ? balancer : {}
    const isEmpty = Array.isArray(backends) && backends.length === 0
    const pointer = `/balancers/${index}/backends`
    return isEmpty
      ? [{ pointer, message: 'there are none: every request is answered with 503 until some are added' }]
      : []
  })
}

function originsOf(
  { places, placed }: Document,
  variables: ReadonlyMap<string, VariableUse>,
  { sources, secrets }: Resolved,
): ReadonlyMap<string, Origin> {
  const origins = [...places].map(([pointer, { key }]) => {
    const source = sources.get(pointer)
    const origin = {
      line: placed({ pointer, message: '', ofKey: key !== undefined }).line,
      variables: variables.get(pointer)?.names ?? [],
      ...(source !== undefined && { source }),
      secret: secrets.has(pointer),
    }
    return [pointer, origin] as const
  })
  return new Map(origins)
}

const inOrder = (faults: readonly Fault[]) => faults.toSorted((a, b) => a.line - b.line || a.column - b.column)

/**
 * Reads a file: its variables, the files and modules that it names. It throws nothing: what is wrong is among the faults. `given`
 * is what the file says, if that is known already.
 */
export async function readConfiguration(
  path: string,
  env: Environment = process.env,
  now = Date.now(),
  given?: string,
): Promise<ConfigurationReading> {
  const itself = resolve(path)
  const read = given === undefined ? await textOf(itself) : { text: given }
  const text = 'fault' in read ? '' : read.text
  const document = readDocument(path, text)
  const unread = { warnings: [], files: [itself], origins: new Map(), value: undefined, text, placed: document.placed }
  if ('fault' in read) return { ...unread, faults: [document.placed({ pointer: '', message: read.fault })] }
  if (document.syntaxFaults.length > 0) return { ...unread, faults: inOrder(document.syntaxFaults) }
  const substituted = substitute(document.value, env)
  const typed = withTypedVariables(substituted.value, FileSchema, substituted.variables)
  const own = [...document.faults, ...substituted.faults]
  const first = [...own, ...notNamedIn(own, [...schemaFaults(FileSchema, typed)])]
  const resolved = await resolveReferences(
    typed,
    FileSchema,
    dirname(itself),
    new Set(first.map(({ pointer }) => pointer)),
  )
  const second = [...first, ...resolved.faults]
  const named = inspectNamedFiles(resolved.value, now)
  const third = [...fileFaults(resolved.value), ...named.faults]
  const faults = [...second, ...notNamedIn([...second, ...resolved.missing.map((pointer) => ({ pointer }))], third)]
    .map((fault) => withVariable(fault, substituted.variables))
    .map(document.placed)
  return {
    ...(faults.length === 0 && { configuration: configurationOf(resolved.value) }),
    faults: inOrder(faults),
    warnings: inOrder([...oddities(resolved.value), ...named.warnings].map(document.placed)),
    files: [itself, ...resolved.files],
    origins: originsOf(document, substituted.variables, resolved),
    value: resolved.value,
    text,
    placed: document.placed,
  }
}
