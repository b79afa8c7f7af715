import { Ajv } from 'ajv'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { shippedSchema } from '../../../../test/configuration-schema.ts'
import { lineOf } from '../../src/configuration/document/fault.ts'
import { readScenarioFile } from '../../src/simulation/command/scenario-file.ts'
import { scenarioSchema } from '../../src/simulation/command/scenario-file-schema.ts'
import { simulate, simulateScenario, type SimulationOptions } from '../../src/simulation/simulate.ts'
import { folderWith } from '../configuration/file-on-disk.ts'

/** The faults of a text, as they are printed. */
async function faultsOf(t: TestContext, text: string): Promise<readonly string[]> {
  const folder = await folderWith(t, { 's.yaml': text })
  const { faults, scenario } = await readScenarioFile(join(folder, 's.yaml'))
  assert.equal(scenario === undefined, faults.length > 0)
  return faults.map((fault) => lineOf(fault).replace(`${folder}/`, ''))
}

const good = 'backends: [{ slots: 2 }]\narrivals: { rate: 10 }\n'

describe('a scenario file', () => {
  for (const [what, text, ...expected] of [
    ['what is good', good],
    [
      'names that nobody knows, with the near ones',
      `${good}balancer: { retry: { attemts: 2 } }\nwarmup: 3\n`,
      's.yaml:3:22: balancer.retry.attemts: unknown option: did you mean `attempts`?',
      's.yaml:4:1: warmup: unknown option: did you mean `warmUp`?',
    ],
    [
      'a distribution that nobody knows',
      'backends: [{ service: { distribution: paretto } }]\narrivals: { rate: 10 }\n',
      's.yaml:1:39: backends.0.service.distribution: expected "exponential" or "constant" or "lognormal" or "pareto"; did you mean pareto?',
    ],
    ['nothing', '', 's.yaml:1:1: `backends` is missing', 's.yaml:1:1: `arrivals` is missing'],
    [
      'an open and a closed loop',
      'backends: [{}]\narrivals: { rate: 10, clients: 3 }\n',
      's.yaml:2:11: arrivals: expected `rate` (an open loop) or `clients` (a closed one), and not both',
    ],
    [
      'times that make no sense',
      'backends:\n  - pauses: { every: 5, for: 5 }\n    slow: [{ from: 9, to: 9, factor: 2 }]\n    down: [{ from: 3, to: 2 }]\n  - slow: [{ from: 0, to: 9, factor: 2, every: 8 }]\narrivals: { rate: 1 }\nduration: 10\nwarmUp: 10\n',
      's.yaml:2:30: backends.0.pauses.for: must be less than every, which is 5',
      's.yaml:3:27: backends.0.slow.0.to: must be later than from, which is 9',
      's.yaml:4:27: backends.0.down.0.to: must be later than from, which is 3',
      's.yaml:5:48: backends.1.slow.0.every: must be at least as long as from `from` to `to`',
      's.yaml:8:9: warmUp: must be less than duration, which is 10',
    ],
    [
      'names of backends',
      'backends: [{ id: a, count: 2 }, { id: a-2 }]\narrivals: { rate: 1 }\nchanges:\n  - { at: 1, remove: b }\n  - { at: 1 }\n  - { at: 1, change: a-1 }\n',
      "s.yaml:1:39: backends.1.id: 'a-2' is the name of another backend",
      "s.yaml:4:22: changes.0.remove: there is no backend 'b'",
      's.yaml:5:5: changes.1: expected one of `remove`, `add` and `change`',
      's.yaml:6:5: changes.2: `change` and `weight` belong together',
    ],
    [
      'options of register that do not go together, and two ways to choose',
      `${good}policy: p2c\npolicies: [random]\nbalancer: { healthCheck: { expect: { body: x } } }\n`,
      's.yaml:4:11: policies: expected `policy` or `policies`, and not both',
      "s.yaml:5:44: balancer.healthCheck.expect.body: a response to HEAD has no body; use method 'GET'",
    ],
  ] as const)
    test(what, async (t) => assert.deepEqual(await faultsOf(t, text), expected))

  test('a policy that nobody knows', async (t) => {
    const [fault] = await faultsOf(t, `${good}policies: [p2c, leastrequests]\n`)
    assert.match(fault!, /^s\.yaml:3:17: policies\.1: expected .*did you mean least-requests\?$/)
  })

  test('that is not there', async () => {
    const { faults } = await readScenarioFile('/nowhere.yaml')
    assert.deepEqual(faults.map(lineOf), ['/nowhere.yaml:1:1: cannot read the file: there is no such file'])
  })

  test('may name the module of a policy', async (t) => {
    const folder = await folderWith(t, {
      'there.yaml': `${good}policy: { module: ./last.js }\nduration: 200\nwarmUp: 0\n`,
      'gone.yaml': `${good}policies: [p2c, { module: ./none.js }]\n`,
      'last.js':
        "export default { name: 'last', over: (available) => ({ pick: () => available.at(-1), peek: () => available.at(-1) }) }",
    })
    const { scenario } = await readScenarioFile(join(folder, 'there.yaml'))
    assert.equal((await simulateScenario(scenario!, () => {})).runs[0]!.policy, 'last')
    const { faults } = await readScenarioFile(join(folder, 'gone.yaml'))
    assert.match(lineOf(faults[0]!), /gone\.yaml:3:\d+: policies\.1\.module: cannot read \.\/none\.js/)
  })
})

test('what a program gives is checked in the same way, all at once', async () => {
  const options = { backends: [{ slot: 3 }], arrivals: { rate: '1' }, policy: 'p2d' } as unknown as SimulationOptions
  await assert.rejects(simulate(options), {
    code: 'FST_BALANCER_BAD_OPTIONS',
    message: /backends\.0\.slot: unknown option \(did you mean slots\?\); arrivals\.rate: expected a number/,
  })
  await assert.rejects(simulate({ backends: [{}], arrivals: { rate: 1 }, policy: 'p2d' }), {
    message: /: policy: expected .*got 'p2d' \(did you mean 'p2c'\?\)$/,
  })
  await assert.rejects(simulate(undefined as unknown as SimulationOptions), { code: 'FST_BALANCER_BAD_OPTIONS' })
})

describe('the scenarios of the examples and of the README', () => {
  const folder = new URL('../../../../examples/simulations/', import.meta.url)
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const section = readme.slice(readme.indexOf('## Simulate'))
  const inReadme = /^```yaml\n(.*?)^```$/ms.exec(section)![1]!
  const files = readdirSync(folder)
  const isValid = new Ajv({ strict: true, allowUnionTypes: true }).compile(
    shippedSchema('scenario.schema.json') as object,
  )

  test('the JSON Schema that ships is that of the code', () => {
    assert.deepEqual(shippedSchema('scenario.schema.json'), scenarioSchema())
    assert.equal(isValid(parse('{ backends: [{ slots: 0 }], arrivals: {} }')), false)
  })

  for (const name of files)
    test(name, async () => {
      const text = readFileSync(new URL(name, folder), 'utf8')
      const [, schema] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text) ?? []
      const { title } = JSON.parse(readFileSync(new URL(schema!, folder), 'utf8')) as { title: string }
      assert.equal(title, 'Scenario of fastify-balancer simulate')
      assert.equal(isValid(parse(text)), true, JSON.stringify(isValid.errors))
      const { scenario, faults } = await readScenarioFile(fileURLToPath(new URL(name, folder)))
      assert.deepEqual(faults, [])
      const { runs } = await simulateScenario({ ...scenario!, duration: 300, warmUp: 100 }, () => {})
      assert.ok(runs.every(({ completed }) => completed > 0))
    })

  test('the README shows what is printed of its scenario', async () => {
    const { table } = await import('../../src/simulation/simulate.ts')
    const options = parse(inReadme) as SimulationOptions
    assert.equal(isValid(options), true)
    const printed = table(await simulate({ ...options, duration: 300, warmUp: 100 }))
    const shown = /^```text\n(.*?)^```$/ms.exec(section)![1]!
    // Figures are those of a whole run, which would take long here.
    const form = (text: string) => text.replaceAll(/<?[\d.]+/g, '0').replaceAll(/ +/g, ' ')
    assert.equal(form(printed), form(shown))
  })

  test('the program of the README runs', async (t) => {
    const program = /^```ts\n(.*?)^```$/ms.exec(section)![1]!
    const source = new URL('../../src/simulation/simulate.ts', import.meta.url).href
    const place = await folderWith(t, {
      'program.ts': program.replace("'fastify-balancer/simulate'", `'${source}'`).replace('rate: 1000', 'rate: 20'),
    })
    const lines: unknown[][] = []
    t.mock.method(console, 'log', (...parts: unknown[]) => lines.push(parts))
    await import(join(place, 'program.ts'))
    const [[text, p99, svg] = []] = lines
    assert.match(String(text), /^latency in ms .*\np2c /)
    assert.equal(typeof p99, 'number')
    assert.match(String(svg), /^<svg /)
  })
})
