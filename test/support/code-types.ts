import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

/** A type as it is written in one file, where its names mean what that file says. */
interface Written {
  readonly text: string
  readonly file: string
}

/** What the nodes of the tree that are looked at may hold. */
interface Tree {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly name?: string
  readonly value?: Tree | string
  readonly callee?: Tree
  readonly property?: Tree
  readonly arguments?: readonly Tree[]
  readonly typeArguments?: { readonly params: readonly Tree[] } | null
}

function calleeOf({ callee }: Tree): string | undefined {
  return callee?.property?.name ?? callee?.name
}

/** The type in `code<Type>(…)` and the like, also within `Type.Optional(…)`. */
function typeIn(call: Tree, source: string): string | undefined {
  if (call.type !== 'CallExpression') return undefined
  const [type] = call.typeArguments?.params ?? []
  if (type === undefined) return call.arguments?.map((one) => typeIn(one, source)).find((one) => one !== undefined)
  const text = source.slice(type.start, type.end)
  return calleeOf(call) === 'hooks' ? `${text} | readonly ${text}[]` : text
}

/** Types that no schema can describe, such as functions: they are written in the source of a package, beside its schemas. */
export class CodeTypes {
  readonly #written = new Map<string, Written[]>()

  /** Of one package, by its folder `src`. */
  constructor(folder: string) {
    for (const path of globSync('**/*.ts', { cwd: folder })) {
      const file = join(folder, path)
      const source = readFileSync(file, 'utf8')
      if (!source.includes("from '@sinclair/typebox'")) continue
      const add = (name: string, text: string) => {
        const known = this.#written.get(name) ?? []
        if (known.every((one) => one.text !== text)) this.#written.set(name, [...known, { text, file }])
      }
      new Visitor({
        Property(node) {
          const { key, value } = node as unknown as { readonly key: Tree; readonly value: Tree }
          const text = typeIn(value, source)
          if (key.name !== undefined && text !== undefined) add(key.name, text)
        },
      }).visit(parseSync(file, source).program)
    }
  }

  /** The type of the option of that name, if one is written, and what must be imported for it into the file `at`: modules, by name. */
  of(option: string, at: string): { readonly text: string; readonly imports: ReadonlyMap<string, string> } | undefined {
    const [written, other] = this.#written.get(option) ?? []
    if (written === undefined) return undefined
    const { text, file } = written
    if (other !== undefined) throw new Error(`'${option}' is '${text}' in ${file}, '${other.text}' in ${other.file}`)
    const imports = new Map<string, string>()
    const source = readFileSync(file, 'utf8')
    for (const [name] of text.matchAll(/\b[A-Za-z]\w*\b/g)) {
      const from = new RegExp(`import (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(source)?.[1]
      const isOwn = new RegExp(`export (?:type|interface|class|const) ${name}\\b`).test(source)
      if (from !== undefined) imports.set(name, from.startsWith('.') ? pathTo(join(dirname(file), from), at) : from)
      else if (isOwn) imports.set(name, pathTo(file, at))
    }
    return { text, imports }
  }
}

/** As a file imports another one. */
function pathTo(file: string, at: string): string {
  const path = relative(dirname(at), file)
  return path.startsWith('.') ? path : `./${path}`
}
