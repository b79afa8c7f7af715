import { Ajv } from 'ajv'
import type { Policy } from '@fastify-balancer/balancer-core'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { shippedSchema } from '../../../../test/configuration-schema.ts'
import { lineOf } from '../../src/configuration/document/fault.ts'
import { readScenarioFile } from '../../src/simulation/command/scenario-file.ts'
import { scenarioSchema } from '../../src/simulation/command/scenario-file-schema.ts'
import { namesOf } from '../../src/simulation/scenario/policy-names.ts'
import { readScenario } from '../../src/simulation/scenario/scenario.ts'
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
      "s.yaml:4:22: changes.0.remove: there is no backend 'b' at 1 ms",
      's.yaml:5:5: changes.1: expected one of `remove`, `add` and `change`',
      's.yaml:6:5: changes.2: `change` and `weight` belong together',
    ],
    [
      'changes of what is not in the list then, or is in it already',
      'backends: [{ id: a, count: 2 }, { id: b }]\narrivals: { rate: 1 }\nchanges:\n  - { at: 9, change: b, weight: 2 }\n  - { at: 5, add: { id: a, count: 2 } }\n  - { at: 7, remove: b }\n  - { at: 8, add: { id: c } }\n  - { at: 9, change: c, weight: 2 }\n  - { at: 6, remove: c }\n',
      "s.yaml:4:22: changes.0.change: there is no backend 'b' at 9 ms",
      "s.yaml:5:19: changes.1.add: there is a backend 'a-1' at 5 ms",
      "s.yaml:5:19: changes.1.add: there is a backend 'a-2' at 5 ms",
      "s.yaml:9:22: changes.5.remove: there is no backend 'c' at 6 ms",
    ],
    [
      'one that leaves and comes again, and newcomers without names',
      'backends: [{}, { id: b }]\narrivals: { rate: 1 }\nchanges:\n  - { at: 5, remove: b }\n  - { at: 6, add: { id: b } }\n  - { at: 7, add: {} }\n  - { at: 8, remove: backend-5 }\n',
    ],
    [
      'what cannot be simulated',
      `${good}policies: [p2c, { name: sticky, secret: [${'x'.repeat(16)}] }]\nbalancer: { queue: { priority: { classes: [high, low], default: low, header: x-class } } }\n`,
      's.yaml:3:17: policies.1: sticky cannot be simulated: simulated clients keep no cookies',
      's.yaml:4:32: balancer.queue.priority: cannot be simulated: simulated requests have no classes',
    ],
    [
      'a misspelt policy with settings: one fault, not one for each setting',
      `${good}policy: { name: peak-ewa, average: 100, decay: 3 }\n`,
      /^s\.yaml:3:17: policy\.name: expected .*; did you mean peak-ewma\?$/,
    ],
    [
      'a misspelt kind of key: one fault',
      `${good}policies: [{ name: maglev, key: { cokie: sid } }]\n`,
      's.yaml:3:35: policies.0.key.cokie: unknown option: did you mean `cookie`?',
    ],
    [
      'a variable that is not set',
      'backends: [{}]\narrivals: { rate: "${SIMULATED_RATE}" }\n',
      's.yaml:2:19: arrivals.rate: the variable SIMULATED_RATE is not set: set it, or give a default: `${SIMULATED_RATE:-default}`',
    ],
    [
      'options of register that do not go together, and two ways to choose',
      `${good}policy: p2c\npolicies: [random]\nbalancer: { healthCheck: { expect: { body: x } } }\n`,
      's.yaml:4:11: policies: expected `policy` or `policies`, and not both',
      "s.yaml:5:44: balancer.healthCheck.expect.body: a response to HEAD has no body; use method 'GET'",
    ],
  ] as const)
    test(what, async (t) => {
      const faults = await faultsOf(t, text)
      assert.equal(faults.length, expected.length, faults.join('\n'))
      for (const [index, fault] of expected.entries())
        if (typeof fault === 'string') assert.equal(faults[index], fault)
        else assert.match(faults[index]!, fault)
    })

  test('a policy that nobody knows', async (t) => {
    const [fault] = await faultsOf(t, `${good}policies: [p2c, leastrequests]\n`)
    assert.match(fault!, /^s\.yaml:3:17: policies\.1: expected .*did you mean least-requests\?$/)
  })

  test('takes numbers from the environment', async (t) => {
    const folder = await folderWith(t, { 's.yaml': 'backends: [{}]\narrivals: { rate: "${RATE:-7}" }\n' })
    const rateIn = async (env: Record<string, string>) =>
      (await readScenarioFile(join(folder, 's.yaml'), env)).scenario?.arrivals.rate
    assert.deepEqual([await rateIn({}), await rateIn({ RATE: '12.5' })], [7, 12.5])
  })

  test('that is not text, or too long', async (t) => {
    const folder = await folderWith(t, { 'long.yaml': ' '.repeat(4 * 1_048_576 + 1) })
    await writeFile(join(folder, 'latin.yaml'), Buffer.from([0x61, 0xe9, 0x62]))
    for (const [name, fault] of [
      ['long.yaml', 'the file has more than 4 MiB'],
      ['latin.yaml', 'the file is not text in UTF-8'],
    ] as const) {
      const { faults } = await readScenarioFile(join(folder, name))
      assert.deepEqual(
        faults.map(({ message }) => message),
        [fault],
      )
    }
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

test('a policy of your own stays the object that it is, with its state', () => {
  const policy: Policy = { name: 'own', over: () => ({ pick: () => undefined, peek: () => undefined }) }
  const options = { backends: [{}], arrivals: { rate: 1 } }
  assert.equal(readScenario({ ...options, policy }).policies[0], policy)
  assert.equal(readScenario({ ...options, policies: ['p2c', policy] }).policies[1], policy)
})

describe('the names of policies in the results', () => {
  for (const [what, policies, names] of [
    ['alone', ['p2c', { name: 'maglev', key: { path: true } }], ['p2c', 'maglev']],
    [
      'with their settings where two have one name',
      [{ name: 'peak-ewma', average: 10 }, 'peak-ewma'],
      ['peak-ewma {"average":10}', 'peak-ewma'],
    ],
    [
      'without secrets',
      [
        { name: 'sticky', secret: ['open sesame 1234'], cookie: 'a' },
        { name: 'sticky', secret: ['open sesame 1234'] },
      ],
      ['sticky {"secret":["…"],"cookie":"a"}', 'sticky {"secret":["…"]}'],
    ],
    [
      'with numbers where nothing else tells them apart',
      ['random', 'random', 'p2c'],
      ['random (1)', 'random (2)', 'p2c'],
    ],
  ] as const)
    test(what, () => assert.deepEqual(namesOf(policies), names))
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
    const shown = /^```text\n(.*?)^```$/ms.exec(section)![1]!
    assert.equal(table(await simulate(options)), shown)
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
