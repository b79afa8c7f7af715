// Room `configuration/document`: the text of a file as YAML: values, where they stand, variables, and faults with their places.
import { LineCounter, parseAllDocuments, type Document as YamlDocument } from 'yaml'
import type { Fault, PlacedFault } from './fault.ts'
import { namesOf } from './fault.ts'
import { DocumentTree, type Place } from './document-tree.ts'
import { syntaxMessage } from './syntax-message.ts'

/** What stands in a file, without any meaning yet: YAML 1.2, and so JSON. */
export interface Document {
  readonly file: string
  readonly text: string
  /** Undefined if it is not YAML. */
  readonly value: unknown
  /** Why it is not YAML. */
  readonly syntaxFaults: readonly Fault[]
  /** What is YAML and still not taken, since people and programs read it in different ways. */
  readonly faults: readonly PlacedFault[]
  /** Where things stand, by JSON pointer. */
  readonly places: ReadonlyMap<string, Place>
  /** A fault with line and column; of what stands in no line, with those of what it would be in. */
  readonly placed: (fault: PlacedFault) => Fault
}

const options = {
  version: '1.2',
  schema: 'core',
  // The tree looks itself: this takes quadratic time, and does not say where the first one stands.
  uniqueKeys: false,
  stringKeys: true,
  prettyErrors: false,
  logLevel: 'silent',
} as const

/** One that makes no sense, and why. */
function wholeFault(documents: readonly YamlDocument[]): string | undefined {
  if (documents.length === 0) return 'the file is empty: it needs `balancers` at least'
  if (documents[0]!.directives?.yaml.explicit === true && documents[0]!.directives.yaml.version !== '1.2')
    return 'files are read as YAML 1.2: remove the line that begins with `%YAML`'
  return undefined
}

/** Reads the text of a file. It throws nothing: what is wrong is among the faults. */
export function readDocument(file: string, text: string): Document {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { ...options, lineCounter: lines })
  const documents: readonly YamlDocument[] = Array.isArray(parsed) ? parsed : []
  const faults: Fault[] = []
  const at = (start: number, end: number, message: string, place = '') => {
    const { line, col } = lines.linePos(Math.min(start, text.length))
    const lineEnd = text.slice(start, end).search(/[\r\n]/)
    const length = Math.max(1, lineEnd === -1 ? end - start : lineEnd)
    return { message, file, line: Math.max(1, line), column: Math.max(1, col), length, place }
  }
  for (const { errors, warnings } of documents)
    for (const error of [...errors, ...warnings])
      faults.push(at(error.pos[0], error.pos[1], syntaxMessage(error, text)))
  const whole = wholeFault(documents)
  if (whole !== undefined) faults.unshift(at(0, 0, whole))
  if (documents.length > 1) {
    const start = documents[1]!.range?.[0] ?? 0
    faults.push(at(start, start + 1, 'the file holds several documents: it must be one, without a line `---` in it'))
  }
  const tree = new DocumentTree((offset) => lines.linePos(offset).line)
  const value = faults.length > 0 ? undefined : tree.valueOf(documents[0]!.contents)
  function placed({ pointer, message, range, ofKey = false }: PlacedFault): Fault {
    let known = pointer
    while (known !== '' && !tree.places.has(known)) known = known.slice(0, known.lastIndexOf('/'))
    const { key, value: own } = tree.places.get(known) ?? { key: undefined, value: [0, 0] as const }
    const isOfValue = known === pointer && !ofKey
    const [start, end] = range ?? (isOfValue ? own : (key ?? own))
    return at(start, end, message, namesOf(pointer).join('.'))
  }
  return { file, text, value, syntaxFaults: firstOfEachLine(faults), faults: tree.faults, places: tree.places, placed }
}

/** One missing bracket makes several: those that follow in its line have the same cause. */
function firstOfEachLine(faults: readonly Fault[]): readonly Fault[] {
  const lines = new Set<number>()
  return faults.filter(({ line }) => !lines.has(line) && lines.add(line))
}
