import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import { within, type PlacedFault, type Range } from './fault.ts'
import { tagFault } from './syntax-message.ts'

/** Where a value stands, and its name, if it has one. */
export interface Place {
  readonly key?: Range
  readonly value: Range
}

/** More than any file needs, and few enough for any machine: with aliases, ten lines can mean a billion values. */
const mostRepeated = 100_000

const rangeOf = (node: Node | null | undefined): Range =>
  node?.range === undefined || node.range === null ? [0, 0] : [node.range[0], node.range[1]]

/** Plain values from the nodes of a YAML document, with the place of each. Aliases and merge keys are resolved. */
export class DocumentTree {
  /** By JSON pointer. */
  readonly places = new Map<string, Place>()
  readonly faults: PlacedFault[] = []
  readonly #anchors = new Map<string, Node>()
  /** What an alias named when it was first seen: a name may be given again further down. */
  readonly #repeatedParts = new Map<Alias, Node>()
  readonly #open = new Set<Node>()
  #repeating = 0
  #repeated = 0
  readonly #lineAt: (offset: number) => number

  constructor(lineAt: (offset: number) => number) {
    this.#lineAt = lineAt
  }

  /** The value of a node, under its pointer. */
  valueOf(node: unknown, pointer = '', key?: Range): unknown {
    const own = node as Node | null
    this.places.set(pointer, {
      ...(key !== undefined && { key }),
      value: own === null ? (key ?? [0, 0]) : rangeOf(own),
    })
    return this.#read(own, pointer)
  }

  #fault(node: Node, message: string, pointer: string): void {
    const range = rangeOf(node)
    // What is repeated is told once.
    if (this.faults.some((known) => known.range?.[0] === range[0] && known.message === message)) return
    this.faults.push({ range, message, pointer })
  }

  #read(node: Node | null, pointer: string): unknown {
    if (node === null) return null
    if (this.#repeating > 0 && ++this.#repeated > mostRepeated) return undefined
    if (isAlias(node)) return this.#repeat(node, pointer)
    if (node.anchor !== undefined && this.#repeating === 0) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return this.#scalar(node.value, node.source, node, pointer)
    this.#open.add(node)
    const value = isMap(node)
      ? this.#members(node, pointer)
      : isSeq(node)
        ? this.#items(node.items, pointer)
        : undefined
    this.#open.delete(node)
    return value
  }

  #scalar(value: unknown, source: string | undefined, node: Node, pointer: string): unknown {
    if (typeof value === 'number' && /^[-+]?0\d/.test(source ?? ''))
      this.#fault(node, 'some programs read numbers that begin with 0 as octal: remove the 0, or quote a text', pointer)
    // Of `!!binary` and the like. What is wrong is not shown, as it may be a secret.
    if (typeof value === 'object' && value !== null) this.#fault(node, tagFault, pointer)
    return value
  }

  #items(items: readonly unknown[], pointer: string): unknown[] {
    return items.map((item, index) => this.valueOf(item, within(pointer, index)))
  }

  #members(map: YAMLMap, pointer: string): Record<string, unknown> {
    const pairs = this.#pairsOf(map, pointer)
    return Object.fromEntries(
      [...pairs].map(([name, { key, value }]) => [
        name,
        this.valueOf(value, within(pointer, name), rangeOf(key as Node)),
      ]),
    )
  }

  /** Own members win over merged ones, and what is merged first wins over what comes later. */
  #pairsOf(map: YAMLMap, pointer: string): Map<string, Pair> {
    const pairs = new Map<string, Pair>()
    const merged: Pair[] = []
    for (const pair of map.items) {
      const key = pair.key as Scalar
      const name = String(key.value)
      const earlier = pairs.get(name)
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#merged(pair.value as Node, pointer))
      else if (earlier === undefined) pairs.set(name, pair)
      else {
        const line = this.#lineAt(rangeOf(earlier.key as Node)[0])
        this.#fault(key, `\`${name}\` is given twice: it is in line ${line}, too`, within(pointer, name))
      }
    }
    for (const pair of merged) {
      const name = String((pair.key as Scalar).value)
      if (!pairs.has(name)) pairs.set(name, pair)
    }
    return pairs
  }

  /** What `<<: *name` adds to a mapping, or `<<: [*one, *other]`. */
  #merged(node: Node | null, pointer: string): readonly Pair[] {
    const named = isAlias(node) ? this.#partOf(node, pointer) : node
    if (isMap(named)) return [...this.#pairsOf(named, pointer).values()]
    if (isSeq(named)) return named.items.flatMap((item) => this.#merged(item as Node, pointer))
    if (named !== undefined && node !== null)
      this.#fault(node, '`<<` takes an alias of a mapping, such as `<<: *name`, or a list of them', pointer)
    return []
  }

  #partOf(alias: Alias, pointer: string): Node | undefined {
    const named = this.#repeatedParts.get(alias) ?? this.#anchors.get(alias.source)
    if (named !== undefined && !this.#open.has(named)) {
      this.#repeatedParts.set(alias, named)
      return named
    }
    // Its name is not shown: somebody may have meant a password that begins with `*`.
    const missing = 'an alias, `*name`, of what no `&name` above names: write a text that begins with `*` in quotes'
    this.#fault(alias, named === undefined ? missing : 'this alias is inside the value that it repeats', pointer)
    return undefined
  }

  #repeat(alias: Alias, pointer: string): unknown {
    const named = this.#partOf(alias, pointer)
    if (named === undefined) return undefined
    this.#repeating++
    const value = this.#read(named, pointer)
    this.#repeating--
    if (
      this.#repeating === 0 &&
      this.#repeated > mostRepeated &&
      !this.faults.some(({ message }) => message.startsWith('aliases'))
    )
      this.#fault(alias, `aliases repeat more than ${mostRepeated} values`, pointer)
    return value
  }
}
