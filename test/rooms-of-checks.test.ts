import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { parseSync } from 'oxc-parser'

const root = join(import.meta.dirname, '..')

/** More files side by side than one takes in at a look. */
const most = 15

/** The room of a file, by its path within `src`; `.` is the top. */
const roomOf = (file: string) => dirname(file)

/** Which rooms each room imports from, types included. */
function importsBetweenRooms(src: string, files: readonly string[]): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>()
  for (const file of files) {
    const from = roomOf(file)
    const imported = rooms.get(from) ?? new Set<string>()
    rooms.set(from, imported)
    const { module } = parseSync(file, readFileSync(join(src, file), 'utf8'))
    const exportedFrom = module.staticExports.flatMap(({ entries }) => entries.map((entry) => entry.moduleRequest))
    for (const request of [...module.staticImports.map((one) => one.moduleRequest), ...exportedFrom]) {
      if (request?.value.startsWith('.') !== true) continue
      const to = roomOf(relative(src, join(src, dirname(file), request.value)))
      if (to !== from) imported.add(to)
    }
  }
  return rooms
}

/** A way from a room back to itself, if there is one. */
function circle(rooms: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const done = new Set<string>()
  function follow(room: string, way: readonly string[]): string | undefined {
    if (way.includes(room)) return [...way.slice(way.indexOf(room)), room].join(' → ')
    if (done.has(room)) return undefined
    for (const next of rooms.get(room) ?? []) {
      const found = follow(next, [...way, room])
      if (found !== undefined) return found
    }
    done.add(room)
    return undefined
  }
  for (const room of rooms.keys()) {
    const found = follow(room, [])
    if (found !== undefined) return found
  }
  return undefined
}

test('a circle of rooms is seen', () => {
  const rooms = new Map([
    ['.', new Set(['a'])],
    ['a', new Set(['b'])],
    ['b', new Set(['a/c'])],
    ['a/c', new Set(['a'])],
  ])
  assert.equal(circle(rooms), 'a → b → a/c → a')
})

for (const name of ['health-check', 'circuit-breaker', 'option-schema']) {
  const src = join(root, 'packages', name, 'src')
  const files = globSync('**/*.ts', { cwd: src })

  test(`${name}: imports between rooms run one way, types included`, () => {
    assert.ok(files.length > 3)
    assert.equal(circle(importsBetweenRooms(src, files)), undefined)
  })

  test(`${name}: no room has more than ${most} files`, () => {
    const counts = Object.groupBy(files, roomOf)
    const crowded = Object.entries(counts).filter(([, inside]) => inside!.length > most)
    assert.deepEqual(crowded, [])
  })
}
