import type { Place } from './report.ts'

/** A value of the file that is written, with a comment: where it comes from, or why it is there. */
export class Sourced {
  readonly value: Tree
  readonly comment: string

  constructor(value: Tree, comment: string) {
    this.value = value
    this.comment = comment
  }
}

/** An environment variable, which is put in when the file is read. */
export class Variable {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What the file holds. Entries that are `undefined` are not written. */
export type Tree = string | number | boolean | readonly Tree[] | TreeObject | Sourced | Variable

/** An object of it. */
export interface TreeObject {
  readonly [key: string]: Tree | undefined
}

/** The file that an import results in. */
export interface Draft {
  readonly listen: readonly Tree[]
  readonly balancers: readonly TreeObject[]
}

/** A value that a line of the imported file gives. */
export function fromLine({ file, line }: Place, value: Tree, note?: string): Sourced {
  return new Sourced(value, `${file}:${line}${note === undefined ? '' : `: ${note}`}`)
}

/** A value that the imported program uses when its file does not set it; written where our default is another one. */
export function byDefault(program: string, value: Tree, note: string): Sourced {
  return new Sourced(value, `${program}'s default: ${note}`)
}

/** The value without its comments, as the configuration will have it. */
export function bare(tree: Tree | undefined): unknown {
  if (tree instanceof Sourced) return bare(tree.value)
  if (tree instanceof Variable) return `\${${tree.name}}`
  if (Array.isArray(tree)) return (tree as readonly Tree[]).map(bare)
  if (typeof tree !== 'object') return tree
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, bare(value)]),
  )
}
