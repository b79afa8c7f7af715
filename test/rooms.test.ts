import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'

const packages = join(import.meta.dirname, '..', 'packages')

/**
 * The rooms of the core, in the order in which a request passes through them, and what stands beside them at the top. A
 * file may import from what is named after its own room, types included, and never from what is named before.
 */
const order = [
  'index',
  'plugin',
  'shared-balancers',
  'route',
  'app/',
  'exchange/',
  'log',
  'balancer',
  'state-log/',
  'managed-list',
  'counts/',
  'hooks',
  'channels',
  'changes/',
  'options',
  'options.generated',
  'hedging/',
  'tunnel/',
  'request/',
  'paths/',
  'response/',
  'rewriting/',
  'attempt/',
  'picking/',
  'backends/',
  'connections/',
  'names/',
  'grpc/',
  'headers/',
  'errors',
  'failure',
  'exchange-ceiling',
  'clock',
]

/** How many files may stand side by side before a newcomer has to search. */
const mostSideBySide = 16

/** The room of a file, with a slash; of a file at the top, its own name. */
function roomOf(file: string): string {
  const [first = '', ...rest] = file.split('/')
  return rest.length > 0 ? `${first}/` : first.replace(/\.tsx?$/, '')
}

/** The same, but a room within a room is one of its own. */
function innermostRoomOf(file: string): string {
  return file.includes('/') ? `${dirname(file)}/` : roomOf(file)
}

interface Import {
  readonly from: string
  readonly to: string
}

/** Every import between files of one folder, types included. */
function importsIn(folder: string): readonly Import[] {
  return globSync('**/*.{ts,tsx}', { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8')
    const specifiers = [...text.matchAll(/\bfrom '(\.[^']+)'|\bimport\(?'(\.[^']+)'/g)]
    return specifiers.map(([, named, other]) => ({
      from: file,
      to: normalize(join(dirname(file), (named ?? other)!)),
    }))
  })
}

/** The rooms that can be reached from each other, if there are any: they are named in the order of the circle. */
function circleOf(imports: readonly Import[]): readonly string[] | undefined {
  const next = new Map<string, Set<string>>()
  for (const { from, to } of imports) {
    const [room, other] = [innermostRoomOf(from), innermostRoomOf(to)]
    if (room !== other) next.set(room, (next.get(room) ?? new Set()).add(other))
  }
  const done = new Set<string>()
  function search(room: string, path: readonly string[]): readonly string[] | undefined {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room]
    if (done.has(room)) return undefined
    for (const other of next.get(room) ?? []) {
      const found = search(other, [...path, room])
      if (found !== undefined) return found
    }
    done.add(room)
    return undefined
  }
  for (const room of next.keys()) {
    const found = search(room, [])
    if (found !== undefined) return found
  }
  return undefined
}

test('in the core, imports run one way between rooms, as a request does', () => {
  const backwards = importsIn(join(packages, 'balancer-core/src'))
    .map(({ from, to }) => ({ from, to, step: order.indexOf(roomOf(to)) - order.indexOf(roomOf(from)) }))
    .filter(({ from, step }) => step < 0 || !order.includes(roomOf(from)))
  assert.deepEqual(backwards, [])
})

test('in every package, rooms do not import each other in a circle', () => {
  for (const folder of globSync('*/{src,page}', { cwd: packages }))
    assert.equal(circleOf(importsIn(join(packages, folder))), undefined, folder)
})

test('no more files stand side by side than can be taken in at a glance', () => {
  const counts = new Map<string, number>()
  // Generated files are not counted: each stands beside its source, and repeats it.
  const files = globSync('*/{src,page}/**/*.{ts,tsx}', { cwd: packages })
  for (const file of files.filter((one) => !one.endsWith('.generated.ts')))
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  assert.deepEqual(
    [...counts].filter(([, count]) => count > mostSideBySide),
    [],
  )
})

test('in every room, one file begins by saying what the room is for', () => {
  const rooms = globSync('*/{src,page}/**/*.{ts,tsx}', { cwd: packages })
    .map((file) => dirname(file))
    .filter((folder) => !/\/(?:src|page)$/.test(folder))
  for (const room of new Set(rooms)) {
    const name = room.replace(/^[^/]+\/(?:src|page)\//, '')
    const files = globSync('*.{ts,tsx}', { cwd: join(packages, room) })
    const openings = files.filter((file) =>
      readFileSync(join(packages, room, file), 'utf8').startsWith(`// Room \`${name}\`: `),
    )
    assert.equal(openings.length, 1, room)
  }
})

describe('what these tests see', () => {
  test('a circle, types included', () => {
    const imports = [
      { from: 'a/one.ts', to: 'b/two.ts' },
      { from: 'b/other.ts', to: 'c.ts' },
      { from: 'c.ts', to: 'a/one.ts' },
    ]
    assert.deepEqual(circleOf(imports), ['a/', 'b/', 'c', 'a/'])
    const within = [
      { from: 'a/one.ts', to: 'a/inner/two.ts' },
      { from: 'a/inner/two.ts', to: 'a/one.ts' },
    ]
    assert.deepEqual(circleOf(within), ['a/', 'a/inner/', 'a/'])
    assert.equal(circleOf(imports.slice(1)), undefined)
  })

  test('every form of import', () => {
    const core = importsIn(join(packages, 'balancer-core/src'))
    assert.ok(core.some(({ from, to }) => from === 'exchange/exchange.ts' && to === 'attempt/attempt.ts'))
    assert.ok(core.length > 200)
  })
})
