/** Something that is wrong with a file, or odd, and where. */
export interface Fault {
  /** What is wrong, and what would be right. Never the value of a secret. */
  readonly message: string
  /** The file in which it stands, as it was named. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** How much of the line it is about, in UTF-16 units; at least 1. */
  readonly length: number
  /** The option that it is about, such as `balancers.0.policy`; `''` is the whole file. */
  readonly place: string
}

/** From and to, as offsets in the text. */
export type Range = readonly [start: number, end: number]

/** A fault whose place is a JSON pointer (RFC 6901) into the document. */
export interface PlacedFault {
  readonly pointer: string
  readonly message: string
  /** Where it stands, if that is not where the pointer leads. */
  readonly range?: Range
  /** About the name of the option, not its value. */
  readonly ofKey?: boolean
}

/** The pointer to a member of what `pointer` points to. */
export function within(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** The names on the way to what a pointer points to. */
export function namesOf(pointer: string): readonly string[] {
  const [, ...names] = pointer.split('/')
  return names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A fault in one line, as compilers write it. */
export function lineOf({ file, line, column, place, message }: Fault): string {
  return `${file}:${line}:${column}: ${place === '' ? '' : `${place}: `}${message}`
}
