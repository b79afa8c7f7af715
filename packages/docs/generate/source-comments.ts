import { readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'

/** Something in the source, and the doc comment before it. */
export interface Documented {
  readonly name: string
  /** Its type as it is written; empty if none is. */
  readonly type: string
  readonly comment: string
}

/** What of the nodes of the tree is looked at. */
interface Tree {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly name?: string
  readonly value?: unknown
  readonly typeArguments?: { readonly params: readonly Tree[] } | null
}

/** A file of the source, with its doc comments. */
export class CommentedSource {
  readonly #text: string
  readonly #parsed: ReturnType<typeof parseSync>

  constructor(file: string) {
    this.#text = readFileSync(file, 'utf8')
    this.#parsed = parseSync(file, this.#text)
  }

  /** The members of an interface, in order. */
  membersOf(name: string): Documented[] {
    const found: Documented[] = []
    new Visitor({
      TSInterfaceDeclaration: ({ id, body }) => {
        if (id.name !== name) return
        for (const member of body.body as unknown as (Tree & {
          key: Tree
          typeAnnotation?: { typeAnnotation: Tree }
        })[])
          found.push({
            name: member.key.name!,
            type: this.#textOf(member.typeAnnotation?.typeAnnotation),
            comment: this.#commentBefore(member.start),
          })
      },
    }).visit(this.#parsed.program)
    return found
  }

  /** Every diagnostics channel that is made here: its name, the type of its messages, and what is said about it. */
  channels(): Documented[] {
    const found: Documented[] = []
    const add = (start: number, value: unknown) => {
      const {
        type,
        callee,
        arguments: given,
        typeArguments,
      } = (value ?? {}) as Tree & {
        readonly callee?: Tree
        readonly arguments?: readonly Tree[]
      }
      if (type !== 'CallExpression' || callee?.name !== 'channel') return
      const name = String(given![0]!.value)
      found.push({ name, type: this.#textOf(typeArguments?.params[1]), comment: this.#commentBefore(start) })
    }
    new Visitor({
      Property: ({ start, value }) => add(start, value),
      VariableDeclaration: ({ start, declarations }) => add(start, declarations[0]!.init),
      ExportNamedDeclaration: ({ start, declaration }) => {
        if (declaration?.type === 'VariableDeclaration') add(start, declaration.declarations[0]!.init)
      },
    }).visit(this.#parsed.program)
    // An exported one is met twice: as an export, with its comment, comes first.
    return found.filter(({ name }, index) => found.findIndex((one) => one.name === name) === index)
  }

  /** What is said about a value or a type of that name. */
  commentOf(name: string): string {
    const place = new RegExp(`^(?:export )?(?:const|interface|type|class|function) ${name}\\b`, 'm').exec(this.#text)
    return place === null ? '' : this.#commentBefore(place.index)
  }

  #textOf(node: Tree | undefined): string {
    return node === undefined ? '' : this.#text.slice(node.start, node.end).replaceAll(/\s+/g, ' ')
  }

  #commentBefore(start: number): string {
    const comment = this.#parsed.comments.findLast(({ end }) => end <= start)
    const isNext = comment !== undefined && this.#text.slice(comment.end, start).trim() === ''
    if (!isNext || !comment.value.startsWith('*')) return ''
    return comment.value
      .replaceAll(/^\s*\* ?/gm, '')
      .replaceAll(/\s+/g, ' ')
      .trim()
  }
}
