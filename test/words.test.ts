import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { describe, test } from 'node:test'
import { parseSync, Visitor } from 'oxc-parser'

const root = join(import.meta.dirname, '..')
const packages = readdirSync(join(root, 'packages'))
const packageNames = packages.map((folder) => {
  const manifest = readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { name: string }).name
})

/** One word for one thing; these are other words for it. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ['cluster', 'Balancer'],
  ['upstream', 'Balancer or Backend'],
  ['service', 'Balancer'],
  ['destination', 'Backend'],
  ['node', 'Backend'],
  ['endpoint', 'Backend'],
  ['target', 'Backend'],
  ['group', 'BackendSet'],
  ['flag', 'Veto'],
  ['ejection', 'Veto'],
  ['strategy', 'Policy'],
  ['algorithm', 'Policy'],
  ['selector', 'Policy'],
  ['transaction', 'Exchange'],
  ['job', 'Exchange'],
  ['try', 'Attempt'],
  ['hop', 'Attempt'],
  ['result', 'Outcome'],
])

/** Names that hold such a word with another meaning, and which. */
const allowed: Readonly<Record<string, string>> = {
  Target: 'the request target of RFC 9112',
  target: 'the request target of RFC 9112',
  targetOf: 'the request target of RFC 9112',
  forbiddenInTarget: 'the request target of RFC 9112',
  asteriskTarget: 'the request target of RFC 9112',
  algorithm: 'how a limit is found, as Netflix concurrency-limits calls it',
  LimitAlgorithm: 'how a limit is found, as Netflix concurrency-limits calls it',
  node: 'the node identifier of RFC 7239',
  service: 'the service of gRPC, by its name in grpc.health.v1',
  hopByHop: 'the hop-by-hop fields of RFC 9110',
  isHopByHop: 'the hop-by-hop fields of RFC 9110',
}

/** What the core must not know of: each is a package of its own, that knows the core. */
const extensions = /circuit|health[- ]?check|admin(?!i)|dashboard|prometheus|metrics/gi

/** The one package that loads others at run time: joining them is its purpose. */
const facade = 'fastify-balancer'

/** The one package that all may load: it holds no state and knows none of the others. */
const schemas = '@fastify-balancer/option-schema'

interface Source {
  readonly file: string
  readonly text: string
}

interface Declared {
  readonly name: string
  readonly start: number
}

/** As far as names are concerned, every node of the tree that may hold one. */
interface Named {
  readonly type: string
  readonly start: number
  readonly name?: string
  readonly value?: unknown
  readonly left?: Named
  readonly argument?: Named
  readonly properties?: readonly Named[]
  readonly elements?: readonly (Named | null)[]
  readonly parameter?: Named
}

const sources: readonly Source[] = packages.flatMap((folder) =>
  globSync('src/**/*.ts', { cwd: join(root, 'packages', folder) }).map((path) => {
    const file = join(root, 'packages', folder, path)
    return { file: relative(root, file), text: readFileSync(file, 'utf8') }
  }),
)

function parse({ file, text }: Source) {
  const parsed = parseSync(file, text)
  assert.deepEqual(parsed.errors, [], `${file} can be parsed`)
  return parsed
}

function place({ file, text }: Source, offset: number): string {
  return `${file}:${text.slice(0, offset).split('\n').length}`
}

/** The names that a parameter or a pattern declares, or the one that a key is. */
function namesIn(node: Named | null | undefined): Declared[] {
  if (node === null || node === undefined) return []
  switch (node.type) {
    case 'Identifier':
    case 'PrivateIdentifier':
      return [{ name: node.name!, start: node.start }]
    case 'Literal':
      return typeof node.value === 'string' ? [{ name: node.value, start: node.start }] : []
    case 'ObjectPattern':
      return node.properties!.flatMap((property) =>
        namesIn(property.type === 'Property' ? (property.value as Named) : property),
      )
    case 'ArrayPattern':
      return node.elements!.flatMap(namesIn)
    case 'AssignmentPattern':
      return namesIn(node.left)
    case 'RestElement':
      return namesIn(node.argument)
    default:
      return []
  }
}

/** Every name that a file gives to something: types, values, members, parameters. Names it only uses are not among them. */
function declaredIn(source: Source): Declared[] {
  const declared: Declared[] = []
  const add = (node: unknown) => void declared.push(...namesIn(node as Named))
  const id = (node: { id: unknown }) => add(node.id)
  const key = (node: { key: unknown; computed?: boolean }) => node.computed !== true && add(node.key)
  const parameters = (node: { params: unknown[] }) => node.params.forEach(add)
  new Visitor({
    VariableDeclarator: id,
    ClassDeclaration: id,
    ClassExpression: id,
    TSInterfaceDeclaration: id,
    TSTypeAliasDeclaration: id,
    FunctionDeclaration: (node) => (id(node), parameters(node)),
    FunctionExpression: (node) => (id(node), parameters(node)),
    ArrowFunctionExpression: parameters,
    TSFunctionType: parameters,
    CatchClause: (node) => add(node.param),
    TSTypeParameter: (node) => add(node.name),
    MethodDefinition: key,
    PropertyDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: (node) => (key(node), parameters(node)),
    ImportSpecifier: (node) => namesIn(node.imported)[0]?.name !== node.local.name && add(node.local),
    ObjectExpression: ({ properties }) => {
      for (const property of properties) if (property.type === 'Property' && !property.shorthand) key(property)
    },
  }).visit(parse(source).program)
  return declared
}

/** `targetOf` → target, of; `HTTPTarget` → http, target; `hop-by-hop` → hop, by, hop. */
function wordsOf(name: string): string[] {
  const parts = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []
  return parts.map((word) => word.toLowerCase())
}

function synonymsIn(source: Source): string[] {
  const faults: string[] = []
  for (const { name, start } of declaredIn(source)) {
    if (Object.hasOwn(allowed, name)) continue
    for (const word of wordsOf(name)) {
      const meant = synonyms.get(word) ?? synonyms.get(word.replace(/s$/, ''))
      if (meant !== undefined) faults.push(`${place(source, start)} '${name}': '${word}' is not our word for ${meant}`)
    }
  }
  return faults
}

function extensionsIn(source: Source): string[] {
  let code = source.text
  for (const { start, end } of parse(source).comments) {
    code = code.slice(0, start) + ' '.repeat(end - start) + code.slice(end)
  }
  return [...code.matchAll(extensions)].map(({ 0: name, index }) => `${place(source, index)} '${name}'`)
}

/** Imports of another package of this workspace that remain when the types are taken away. */
function loadsIn(source: Source): string[] {
  const faults: string[] = []
  const load = (node: { start: number }, from: unknown) => {
    const name = (from as Named | null)?.value
    if (typeof name !== 'string') return
    const others = packageNames.filter((one) => one !== schemas)
    const other = others.find((one) => name === one || name.startsWith(`${one}/`))
    if (other !== undefined) faults.push(`${place(source, node.start)} loads ${other}`)
    if (/^(?:\.\.\/)+(?:[^/]+\/)*src\//.test(name)) faults.push(`${place(source, node.start)} reaches out to ${name}`)
  }
  new Visitor({
    ImportDeclaration: (node) => node.importKind !== 'type' && load(node, node.source),
    ExportNamedDeclaration: (node) => node.exportKind !== 'type' && load(node, node.source),
    ExportAllDeclaration: (node) => node.exportKind !== 'type' && load(node, node.source),
    ImportExpression: (node) => load(node, node.source),
  }).visit(parse(source).program)
  return faults
}

/** Exported names without a doc comment. A schema and the type of the same name share one. */
function undocumentedIn(source: Source): string[] {
  const { program, comments } = parse(source)
  const documented = new Set<string>()
  const exported: Declared[] = []
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) continue
    const { declaration } = node
    const names =
      declaration.type === 'VariableDeclaration'
        ? declaration.declarations.flatMap((one) => namesIn(one.id as Named))
        : 'id' in declaration
          ? namesIn(declaration.id)
          : []
    exported.push(...names)
    const comment = comments.findLast(({ end }) => end <= node.start)
    const isDoc = comment?.type === 'Block' && comment.value.startsWith('*')
    if (isDoc && source.text.slice(comment.end, node.start).trim() === '')
      for (const { name } of names) documented.add(name)
  }
  return exported
    .filter(({ name }) => !documented.has(name))
    .map(({ name, start }) => `${place(source, start)} '${name}'`)
}

function faultsOf(judge: (source: Source) => string[], code: string): string[] {
  return judge({ file: 'sample.ts', text: code })
}

function none(faults: readonly string[]): void {
  assert.equal(faults.join('\n'), '')
}

describe('one word for one thing', () => {
  for (const [what, code] of Object.entries({
    variable: 'const upstream = 1',
    'destructured variable': 'const { a: [jobs] } = x',
    parameter: 'function f(a, { b: results = [] }) {}',
    'parameter of an arrow': 'const f = (...endpoints) => 1',
    'parameter of a type': 'type F = (upstreamUrl: string) => void',
    class: 'class UpstreamPool {}',
    'private member': 'class A { #strategy = 1 }',
    method: 'class A { pickEndpoint() {} }',
    'type parameter': 'type A<Group> = Group[]',
    'member of an interface': 'interface A { readonly hopCount: number }',
    'key of an object': 'f({ endpoint: 1 })',
    'quoted key': "f({ 'upstream-url': 1 })",
    'renamed import': "import { a as cluster } from 'a'",
  }))
    test(`sees a synonym as the name of a ${what}`, () => assert.equal(faultsOf(synonymsIn, code).length, 1))

  test('overlooks names that are only used, parts of other words, and texts for people, who say upstream or node', () => {
    const code = `
      // upstream
      import { target } from 'somewhere'
      event.target = upstream.node('endpoint')
      const upstreaming = process.env.NODE_DEBUG`
    none(faultsOf(synonymsIn, code))
  })

  test('every name in the packages keeps to it', () => none(sources.flatMap(synonymsIn)))

  test('every exception is still needed', () => {
    const names = new Set(sources.flatMap(declaredIn).map(({ name }) => name))
    none(Object.keys(allowed).filter((name) => !names.has(name)))
  })
})

describe('the core knows no extension', () => {
  test('sees one in names and strings, not in comments', () => {
    assert.deepEqual(faultsOf(extensionsIn, "// health-check\nconst a = 'health-check'\nclass CircuitBreaker {}"), [
      "sample.ts:2 'health-check'",
      "sample.ts:3 'Circuit'",
    ])
  })

  test('it names none', () => {
    const core = sources.filter(({ file }) => file.startsWith(join('packages', 'balancer-core', '/')))
    assert.ok(core.length > 30)
    none(core.flatMap(extensionsIn))
  })
})

describe('no package loads another', () => {
  for (const code of [
    "import { Balancer } from '@fastify-balancer/balancer-core'",
    "import { type Balancer } from '@fastify-balancer/balancer-core'",
    "export * from 'fastify-balancer'",
    "export { Balancer } from '@fastify-balancer/balancer-core/dist/index.js'",
    "await import('fastify-balancer')",
    "import { pool } from '../balancer-core/src/pool.ts'",
  ])
    test(`sees ${code}`, () => assert.equal(faultsOf(loadsIn, code).length, 1))

  test('overlooks types, and what is not of this workspace', () => {
    none(
      faultsOf(
        loadsIn,
        `import type { Balancer } from '@fastify-balancer/balancer-core'
         export type { Backend } from '@fastify-balancer/balancer-core'
         import { strict } from '@fastify-balancer/option-schema'
         import fastify from 'fastify'
         import { b } from '../policies/b.ts'
         export const a = 1`,
      ),
    )
  })

  test('only the facade does', () => {
    const own = sources.filter(({ file }) => !file.startsWith(join('packages', facade, '/')))
    none(own.flatMap(loadsIn))
    assert.ok(sources.flatMap(loadsIn).length > 0, 'the facade loads the core')
  })
})

describe('exported names are explained', () => {
  test('sees one without a doc comment', () => {
    const code = `
      /** Explained. */
      export const a = 1
      export function b() {}
      // Not a doc comment.
      export class C {}
      /* nor this */
      export interface D {}
      /** Of something else. */
      const e = 1
      export type F = typeof e
      /** A schema. */
      export const G = {}
      export type G = typeof G
      export { e } from './e.ts'`
    assert.deepEqual(faultsOf(undocumentedIn, code), [
      "sample.ts:4 'b'",
      "sample.ts:6 'C'",
      "sample.ts:8 'D'",
      "sample.ts:11 'F'",
    ])
  })

  test('every one is', () => none(sources.flatMap(undocumentedIn)))
})

test('no file has a name that says nothing', () => {
  const vague = new Set(['utils.ts', 'util.ts', 'helpers.ts', 'helper.ts', 'common.ts', 'types.ts', 'constants.ts'])
  const files = globSync(['packages/*/{src,test}/**/*.ts', 'test/**/*.ts', 'examples/**/*.ts'], {
    cwd: root,
    exclude: (path) => basename(path) === 'node_modules',
  })
  assert.ok(files.length > 50)
  none(files.filter((file) => vague.has(basename(file))))
})

/** Phrases that people have to read twice, in comments, strings, READMEs or the page; and what to write instead. */
const riddles: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\bwho(?:so)?ever\b/i, 'name who: a client, an operator, a caller'],
  [/\bsays? nothing\b/i, 'does not count; concerns the client'],
  [/\bleft alone\b|\bleaves? (?:it|them) alone\b/i, 'ejected, unhealthy, unchanged'],
  [/\bcomes? all the same\b|\bdone all the same\b/i, 'anyway'],
  [/\b(?:held|holds?) against\b/i, 'counts against; ejects'],
  [/\bmay come in\b|\bgiven a rest\b|\b(?:to|for) so (?:many|long)\b/i, 'has access; paused; say how many'],
  [/\bwithout a word\b/i, 'silently'],
  [/\bthe one who\b/i, 'name who'],
  [/\bas one would say\b/i, 'in words'],
  [/\bis woken at night\b/i, 'an operator'],
  [/\bpanic (?:began|ended)\b/i, 'panic mode: n of m backends healthy'],
  [/\bstood still\b|\bstands still\b/i, 'was paused'],
  [/\bwas put right\b|\bsees? to it that\b/i, 'corrects; makes sure'],
]

function riddlesIn({ file, text }: Source): string[] {
  // A phrase may be wrapped, within a comment or a paragraph.
  const line = text.replaceAll(/\n\s*(?:\*|\/\/)?\s*/g, ' ')
  return riddles.flatMap(([phrase, instead]) => {
    const found = phrase.exec(line)
    if (found === null) return []
    return [`${file}: '…${line.slice(Math.max(0, found.index - 40), found.index + 40)}…': write: ${instead}`]
  })
}

describe('plain words for people', () => {
  test('sees a riddle in a comment, wrapped or not, in a string and in a README', () => {
    for (const text of [
      '/** Whoever asks. */',
      "log('fast is left alone')",
      '/**\n * It says\n * nothing of the backend.\n */',
      'What a client does is not held against a backend.',
    ])
      assert.equal(faultsOf(riddlesIn, text).length, 1, text)
    none(faultsOf(riddlesIn, 'const whoeverAsks = 1 // an operator says upstream, node, target'))
  })

  test('there is none', () => {
    const files = globSync(
      [
        '*.md',
        '.github/**/*.md',
        'packages/*/README.md',
        'packages/docs/**/*.{md,ts}',
        'packages/*/src/**/*.ts',
        'packages/dashboard/page/**/*.{ts,tsx,html}',
        'examples/**/*.{ts,yaml}',
      ],
      { cwd: root, exclude: (path) => basename(path) === 'node_modules' },
    )
    assert.ok(files.length > 300)
    none(files.flatMap((file) => riddlesIn({ file, text: readFileSync(join(root, file), 'utf8') })))
  })
})
