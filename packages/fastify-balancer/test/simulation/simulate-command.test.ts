import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { help } from '../../src/command/help.ts'
import { ProgressLine } from '../../src/simulation/command/progress.ts'
import { simulateCommand } from '../../src/simulation/command/simulate-command.ts'
import type { SimulationFigures } from '../../src/simulation/simulate.ts'
import { folderWith } from '../configuration/file-on-disk.ts'

const scenario =
  'backends: [{ count: 2 }]\narrivals: { rate: 100 }\npolicies: [p2c, random]\nduration: 1000\nwarmUp: 0\n'

/** Runs it: the exit code, and what was written to each stream. */
async function run(t: TestContext, ...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []]
  const mocks = [
    t.mock.method(process.stdout, 'write', (text: string) => out.push(text) > 0),
    t.mock.method(process.stderr, 'write', (text: string) => err.push(text) > 0),
  ]
  try {
    return { code: await simulateCommand(args), out: out.join(''), err: err.join('') }
  } finally {
    for (const { mock } of mocks) mock.restore()
  }
}

test('the command prints a table, and draws a chart where it is told to', async (t) => {
  const folder = await folderWith(t, { 'two.yaml': scenario })
  const [file, svg] = [join(folder, 'two.yaml'), join(folder, 'two.svg')]
  const command = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'simulate', file, '--svg', svg], {
    encoding: 'utf8',
  })
  assert.deepEqual([status, stderr], [0, ''])
  assert.match(stdout, /^latency in ms +p50 .*\np2c +\d.*\nrandom +\d/)
  assert.match(stdout, /\n0 s to 1 s of simulated time, seed 1\n$/)
  assert.match(readFileSync(svg, 'utf8'), /^<svg .*aria-label="two">[^]*<\/svg>\n$/)
})

test('as JSON, with another seed', async (t) => {
  const file = join(await folderWith(t, { 's.yaml': scenario }), 's.yaml')
  const { code, out } = await run(t, file, '--json', '--seed', '5')
  const { seed, runs } = JSON.parse(out) as SimulationFigures
  assert.deepEqual([code, seed, runs.map(({ policy }) => policy)], [0, 5, ['p2c', 'random']])
  const again = await run(t, '--seed=5', '--json', file)
  assert.equal(again.out, out)
  assert.notEqual((await run(t, '--json', file)).out, out)
})

test('faults: each with its line, and exit code 1', async (t) => {
  const file = join(await folderWith(t, { 's.yaml': scenario.replace('rate', 'rat') }), 's.yaml')
  const { code, out, err } = await run(t, file)
  assert.deepEqual([code, out], [1, ''])
  assert.equal(err.split('\n')[0], `${file}:2:13: arrivals.rat: unknown option: did you mean \`rate\`?`)
})

test('wrong arguments are told, and the help names every option', async (t) => {
  for (const [args, message] of [
    [[], /^simulate needs one scenario file; see simulate --help$/],
    [['a', 'b'], /^simulate needs one scenario file/],
    [['--svg', '--json', 'a'], /^--svg needs a value; see simulate --help$/],
    [['a', '--svgg', 'x'], /\(did you mean --svg\?\)/],
    [['--sgv', 'x', 'a'], /^unknown option '--sgv' \(did you mean --svg\?\); see simulate --help$/],
  ] as const)
    await assert.rejects(run(t, ...args), { exitCode: 2, message })
  const file = join(await folderWith(t, { 's.yaml': scenario }), 's.yaml')
  await assert.rejects(run(t, file, '--seed', 'x'), {
    exitCode: 2,
    message: /--seed must be a whole number .*; see simulate --help$/,
  })
  await assert.rejects(run(t, file, '--svg', '/nowhere/x.svg'), {
    exitCode: 2,
    message: 'cannot write /nowhere/x.svg: there is no such folder',
  })
  const { code, out } = await run(t, '--help')
  assert.equal(code, 0)
  for (const name of ['--svg', '--json', '--seed']) assert.ok(out.includes(name), name)
  assert.ok(out.split('\n').every((line) => line.length <= 80))
  assert.match(help, /fastify-balancer simulate <file>/)
})

test('the scenario of the help can be simulated', async (t) => {
  const { out } = await run(t, '--help')
  const text = /^A scenario, .*?:\n\n(.*?)\n\n/ms.exec(out)![1]!.replaceAll(/^ {2}/gm, '')
  const file = join(await folderWith(t, { 's.yaml': text.replace('60000', '200\nwarmUp: 0') }), 's.yaml')
  assert.equal((await run(t, file)).code, 0)
})

test('on a terminal, a line says how far it is: not at once, not too often, and it is taken away', (t) => {
  let now = 1000
  t.mock.method(performance, 'now', () => now)
  const written: string[] = []
  const progress = new ProgressLine((text) => written.push(text))
  progress.tell('p2c', 0.1)
  now += 100
  progress.tell('p2c', 0.2)
  now += 99
  progress.tell('p2c', 0.3)
  now += 1
  progress.tell('p2c', 0.499)
  progress.clear()
  assert.deepEqual(written, ['\r\u001B[Kp2c: 20 %', '\r\u001B[Kp2c: 49 %', '\r\u001B[K'])
})
