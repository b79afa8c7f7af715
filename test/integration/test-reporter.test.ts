import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import report from '../support/reporter.ts'

const reporter = join(import.meta.dirname, '../support/reporter.ts')

/** Runs test files as `pnpm test` does; answers what is printed. */
function reported(t: TestContext, files: Readonly<Record<string, string>>) {
  const place = mkdtempSync(join(tmpdir(), 'reporter-'))
  t.after(() => rmSync(place, { recursive: true }))
  for (const [file, code] of Object.entries(files)) {
    mkdirSync(dirname(join(place, file)), { recursive: true })
    writeFileSync(
      join(place, file),
      `import assert from 'node:assert/strict'\nimport { describe, test } from 'node:test'\n${code}`,
    )
  }
  const args = ['--test', '--test-concurrency=1', `--test-reporter=${reporter}`, ...Object.keys(files).toSorted()]
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined, NO_COLOR: '1' }
  return spawnSync(process.execPath, args, { cwd: place, env, encoding: 'utf8' })
}

test('what has passed is a dot; what was skipped is counted by its reason', (t) => {
  const { status, stdout } = reported(t, {
    'packages/one/a.test.mjs': `test('a', () => {}); describe('s', () => { test('b', () => {}); test('c', { skip: 'no browser' }, () => {}) })`,
    'packages/one/deep/b.test.mjs': `test('d', { skip: 'no browser' }, () => {}); test('e', (t) => t.skip()); console.log('noise')`,
    'packages/two/c.test.mjs': `test('f', { todo: 'later' }, () => assert.fail())`,
  })
  assert.equal(status, 0)
  const lines = stdout
    .replaceAll(/\d+\.\d s/g, 'S')
    .split('\n')
    .map((line) => line.trimEnd())
  assert.deepEqual(lines.slice(0, 9), [
    '',
    'packages/one ··',
    'packages/two ·',
    '',
    'skipped:',
    '  2 × no browser',
    '  1 × no reason given',
    '  1 × later',
    '',
  ])
  assert.deepEqual(lines.slice(-3), ['3 files in S', '2 passed, 0 failed, 4 skipped', ''])
})

test('a failure is whole: file, name, error, difference; at the end it is named again', (t) => {
  const { status, stdout } = reported(t, {
    'one/a.test.mjs': `describe('outer', () => { test('inner', () => assert.deepEqual({ a: 1 }, { a: 2 })) })\nconsole.log('said')`,
    'one/b.test.mjs': `test('b', () => {})`,
  })
  assert.equal(status, 1)
  const [told, again] = stdout.split('✖ failing tests:')
  for (const part of [
    '✖ outer › inner (',
    '\n  one/a.test.mjs:3:27\n',
    'AssertionError',
    '+   a: 1',
    '-   a: 2',
    'has printed\n    said',
  ])
    assert.ok(told!.includes(part), `${part} in\n${told}`)
  assert.match(told!, /\none ·\n/)
  assert.match(again!, /^\n+test at one\/a\.test\.mjs:3:27\n✖ outer › inner \(\d+ ms\)\n {4}AssertionError/)
  assert.match(again!, /\n1 passed, 1 failed, 0 skipped\n$/)
})

test('a file that cannot be loaded, and one that ends before its tests, are failures', (t) => {
  const { status, stdout } = reported(t, {
    'a.test.mjs': `throw new Error('not loaded')`,
    'b.test.mjs': `test('b', () => process.exit(3))`,
  })
  assert.equal(status, 1)
  assert.ok(stdout.includes('Error: not loaded'), stdout)
  assert.match(stdout, /test at b\.test\.mjs/)
  assert.match(stdout, /\n2 files in .+\n0 passed, 2 failed, 0 skipped\n$/)
})

test('the ten slowest files are named, the slowest first', async () => {
  async function* events(): AsyncGenerator<TestEvent> {
    for (const took of [3, 12, 1, 11, 2, 4, 9, 5, 8, 6, 7, 10])
      yield {
        type: 'test:summary',
        data: { file: `/x/${took}.test.ts`, duration_ms: took * 1000 },
      } as unknown as TestEvent
  }
  let printed = ''
  for await (const part of report(events())) printed += part
  const named = [...printed.matchAll(/^ +([\d.]+ s) .*\/(\d+)\.test\.ts$/gm)].map(([, took, name]) => [took, name])
  const wanted = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((took) => [`${took}.0 s`, String(took)])
  assert.deepEqual(named, wanted)
})
