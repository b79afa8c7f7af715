import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promtool, withoutPromtool } from './promtool.ts'
import { begin, end, incidentTest, type Course } from './scraped-history.ts'

const rules = fileURLToPath(new URL('../../alert-rules.yaml', import.meta.url))
const skip = withoutPromtool

const backends = ['b1', 'b2', 'b3', 'b4', 'b5']
const ofBalancer = 'job="front",instance="lb:80",balancer="default"'
const ofBackend = (backend: string) => `${ofBalancer},backend="${backend}"`

/** Without a balancer. */
const ofServer: ReadonlySet<string> = new Set([
  'shed_requests_total',
  'instances',
  'instances_wanted',
  'instances_missing',
])

/** Names and labels of series, shortened by what all have: `queue_depth`, `backend_up b1`, `attempts_total b1 outcome="ok"`. */
function seriesOf(short: string): string {
  const [, name, backend, labels] = /^(\w+)(?: (b\d))?(?: (.*))?$/.exec(short)!
  const whose = ofServer.has(name!) ? 'job="front",instance="lb:80"' : ofBalancer
  const all = [backend === undefined ? whose : ofBackend(backend), labels].filter((one) => one !== undefined)
  return `fastify_balancer_${name}{${all.join(',')}}`
}

type Courses = Readonly<Record<string, Course | number>>

const steady = (value: number): Course => [value, value]

/** Five backends that share 100 requests per second, each of which takes 20 ms. */
const usual: Courses = {
  backends: 5,
  backends_available: 5,
  panic: 0,
  queue_depth: 0,
  queue_limit: 1024,
  requests_total: 100,
  failed_requests_total: 0,
  shed_requests_total: 0,
  'instances state="ready"': 2,
  'instances state="draining"': 0,
  instances_wanted: 2,
  instances_missing: 0,
  'instance_revision fleet_instance="1"': 7,
  'instance_revision fleet_instance="2"': 7,
  'queue_refusals_total reason="queue-full"': 0,
  'queue_refusals_total reason="queue-timeout"': 0,
  'request_duration_seconds_bucket le="0.025"': 100,
  'request_duration_seconds_bucket le="1"': 100,
  'request_duration_seconds_bucket le="2.5"': 100,
  'request_duration_seconds_bucket le="+Inf"': 100,
  ...eachBackend({
    backend_up: 1,
    'backend_state state="ready"': 1,
    'backend_state state="drain"': 0,
    'backend_state state="maintenance"': 0,
    'backend_circuit state="closed"': 1,
    'backend_circuit state="open"': 0,
    'backend_circuit state="half-open"': 0,
    'backend_circuit state="isolated"': 0,
    'attempts_total outcome="ok"': 20,
    'attempts_total outcome="connect-refused"': 0,
    'attempts_total outcome="client-gone"': 1,
    failed_attempts_total: 0,
    ejections_total: 0,
    circuit_openings_total: 0,
  }),
}

function eachBackend(courses: Courses, of: readonly string[] = backends): Courses {
  return Object.fromEntries(
    of.flatMap((backend) =>
      Object.entries(courses).map(([name, course]) => [name.replace(/^\w+/, `$& ${backend}`), course]),
    ),
  )
}

const out: Courses = { backend_up: [1, 0] }
const opened: Courses = { 'backend_circuit state="closed"': [1, 0], 'backend_circuit state="open"': [0, 1] }

/** What differs from the usual during each incident, and which alerts fire a quarter of an hour later, how many of each. */
const incidents: Readonly<Record<string, readonly [courses: Courses, firing: Readonly<Record<string, number>>]>> = {
  // Retries hide it from clients.
  'one is killed': [
    {
      backends_available: [5, 4],
      ...eachBackend({ ...out, ...opened, 'attempts_total outcome="ok"': [20, 0] }, ['b1']),
    },
    { BackendDown: 1, CircuitOpen: 1 },
  ],
  'one hangs': [
    {
      failed_requests_total: [0, (minute) => (minute < begin + 1 ? 2 : 0)],
      backends_available: [5, 4],
      ...eachBackend(
        {
          ...out,
          failed_attempts_total: [0, (minute) => +(minute < begin + 1)],
        },
        ['b1'],
      ),
    },
    { BackendDown: 1 },
  ],
  'all are slow': [
    {
      'request_duration_seconds_bucket le="0.025"': [100, 0],
      'request_duration_seconds_bucket le="1"': [100, 90],
    },
    { LatencyHigh: 1 },
  ],
  'one answers 500, and nothing takes it out': [
    { failed_requests_total: [0, 20], 'failed_attempts_total b1': [0, 20] },
    { BackendFailing: 1, ErrorShareHigh: 1, ErrorShareRaised: 1 },
  ],
  'all answer 500': [
    { failed_requests_total: [0, 100], ...eachBackend({ failed_attempts_total: [0, 20] }) },
    { BackendFailing: 5, ErrorShareHigh: 1, ErrorShareRaised: 1 },
  ],
  'all are down': [
    {
      failed_requests_total: [0, 100],
      backends_available: [5, 0],
      panic: [0, 1],
      ...eachBackend({
        ...out,
        ...opened,
        'attempts_total outcome="ok"': [20, 0],
        'attempts_total outcome="connect-refused"': [0, 20],
        failed_attempts_total: [0, 20],
      }),
    },
    {
      BackendDown: 5,
      BackendFailing: 5,
      CircuitOpen: 5,
      ErrorShareHigh: 1,
      ErrorShareRaised: 1,
      NoHealthyBackend: 1,
      PanicMode: 1,
    },
  ],
  'one is drained, one in maintenance, and a third one is down': [
    {
      backends_available: [5, 2],
      ...eachBackend(out, ['b1', 'b2', 'b3']),
      'backend_state b1 state="ready"': [1, 0],
      'backend_state b1 state="drain"': [0, 1],
      'backend_state b2 state="ready"': [1, 0],
      'backend_state b2 state="maintenance"': [0, 1],
    },
    { BackendDown: 1 },
  ],
  'one has weight 50': [
    {
      'attempts_total b1 outcome="ok"': [20, 93],
      ...eachBackend({ 'attempts_total outcome="ok"': [20, 2] }, backends.slice(1)),
    },
    {},
  ],
  'a list of backends that are not there': [
    { backends_available: [5, 3], ...eachBackend(out, ['b4', 'b5']) },
    { BackendDown: 2 },
  ],
  'the queue is full': [
    {
      queue_depth: [0, 1024],
      failed_requests_total: [0, 15],
      'queue_refusals_total reason="queue-full"': [0, 10],
      'queue_refusals_total reason="queue-timeout"': [0, 5],
    },
    { ErrorShareHigh: 1, ErrorShareRaised: 1, QueueFilling: 1, QueueRefusing: 2 },
  ],
  'the process is overloaded': [{ shed_requests_total: [0, 30] }, { LoadShed: 1 }],
  // In for two minutes, out for one.
  'one is flapping': [
    {
      backends_available: [5, (minute) => 4 + +(minute % 3 < 2)],
      'backend_up b1': [1, (minute) => +(minute % 3 < 2)],
    },
    { BackendFlapping: 1 },
  ],
  'the circuit of one opens and closes between two scrapes': [
    { 'circuit_openings_total b1': [0, 1 / 120] },
    { BackendFlapping: 1 },
  ],
  'clients leave': [{ ...eachBackend({ 'attempts_total outcome="client-gone"': [1, 15] }) }, {}],
  'one instance is stuck': [{ instances_missing: [0, 1] }, { InstanceMissing: 1 }],
  'one worker has failed for good': [{ 'instances state="ready"': [2, 1] }, { TooFewInstances: 1 }],
  // Each takes a minute.
  'one worker after the other is replaced': [
    { 'instances state="ready"': [2, (minute) => 1 + (minute % 2)], 'instances state="draining"': [0, 1] },
    {},
  ],
  'the server drains': [{ 'instances state="ready"': [2, 0], 'instances state="draining"': [0, 2] }, {}],
  'one instance does not follow': [{ 'instance_revision fleet_instance="1"': [7, 8] }, { InstancesDiffer: 1 }],
  'a few requests fail': [{ requests_total: [1, 1], failed_requests_total: [0, 0.005] }, {}],
}

test('promtool finds no fault with the rules', { skip }, () => {
  const { ok, output } = promtool(['check', 'rules', rules])
  assert.ok(ok, output)
  assert.match(output, /SUCCESS: 15 rules found/)
})

test('of each incident, the right alerts fire a quarter of an hour later, and no others', { skip }, (t) => {
  const tests = Object.entries(incidents).map(([name, [courses, firing]]) => {
    const all = Object.entries({ ...usual, ...courses }).map(
      ([short, course]) => [seriesOf(short), typeof course === 'number' ? steady(course) : course] as const,
    )
    return incidentTest(name, new Map(all), [
      [begin, {}],
      [end, firing],
    ])
  })
  const folder = mkdtempSync(join(tmpdir(), 'incidents-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'incidents.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests }))
  const { ok, output } = promtool(['test', 'rules', file])
  assert.ok(ok, output)
})

test('each rule can fire, and says in plain words what it is about', () => {
  const text = readFileSync(rules, 'utf8')
  const names = [...text.matchAll(/^ +- alert: FastifyBalancer(\w+)$/gm)].map(([, name]) => name!)
  const fired = new Set(Object.values(incidents).flatMap(([, firing]) => Object.keys(firing)))
  assert.deepEqual([...fired].sort(), names.sort())
  for (const rule of text.split(/^ +- alert: /m).slice(1))
    assert.match(rule, /\bseverity: (?:critical|warning)\n[\s\S]*\bsummary: [\s\S]*\bdescription: /)
})
