import { Document, isCollection, Pair, Scalar, YAMLMap, YAMLSeq, type Node } from 'yaml'
import { Sourced, Variable, type Draft, type Tree, type TreeObject } from './draft.ts'

function isObject(tree: Tree): tree is TreeObject {
  return typeof tree === 'object' && !Array.isArray(tree) && !(tree instanceof Sourced) && !(tree instanceof Variable)
}

/** `${` begins a variable in our file; doubled, it is itself. */
function literal(text: string): string {
  return text.replaceAll('${', () => '$${')
}

function seqOf(items: readonly Tree[]): YAMLSeq {
  const seq = new YAMLSeq()
  // Short lists of plain values read best on one line.
  seq.flow = items.every((item) => typeof item !== 'object' || item instanceof Variable)
  for (const item of items) {
    const yaml = yamlOf(item)
    if (item instanceof Sourced && isCollection(yaml)) yaml.commentBefore = ` ${item.comment}`
    seq.add(yaml)
  }
  return seq
}

function mapOf(object: TreeObject): YAMLMap {
  const map = new YAMLMap()
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue
    const name = new Scalar(key)
    const yaml = yamlOf(value)
    if (value instanceof Sourced && isCollection(yaml)) name.commentBefore = ` ${value.comment}`
    map.items.push(new Pair(name, yaml))
  }
  return map
}

function yamlOf(tree: Tree): Node {
  if (tree instanceof Sourced) {
    const yaml = yamlOf(tree.value)
    if (!isCollection(yaml)) yaml.comment = ` ${tree.comment}`
    return yaml
  }
  if (Array.isArray(tree)) return seqOf(tree as readonly Tree[])
  if (tree instanceof Variable) return new Scalar(`\${${tree.name}}`)
  if (isObject(tree)) return mapOf(tree)
  return new Scalar(typeof tree === 'string' ? literal(tree) : tree)
}

/** The draft as YAML, below the lines of `head`, each of which becomes a comment. */
export function yamlText({ listen, balancers }: Draft, head: readonly string[]): string {
  const document = new Document(mapOf({ listen, balancers }))
  for (const { key } of (document.contents as YAMLMap<Scalar>).items.slice(1)) key.spaceBefore = true
  const text = document.toString({ lineWidth: 0, flowCollectionPadding: false })
  return `${head.map((line) => `# ${line}`.trimEnd()).join('\n')}\n\n${text}`
}
