import { ratios, type Samples } from './sample.ts'
import type { ScenarioName } from './scenarios.ts'
import { spread } from './statistics.ts'

/** A ratio that the project wants to reach. */
interface Target {
  readonly scenario: ScenarioName
  readonly title: string
  readonly one: string
  readonly other: string
  readonly figure: 'requestsPerSecond' | 'cpuPerRequest'
  readonly atLeast?: number
  readonly atMost?: number
}

const throughput = { figure: 'requestsPerSecond', one: 'ours-raw', atLeast: 1.8 } as const

const targets: readonly Target[] = [
  {
    ...throughput,
    scenario: 'get-100',
    title: 'GET 100 B, raw lane, throughput against @fastify/reply-from',
    other: 'reply-from',
  },
  {
    ...throughput,
    scenario: 'get-100',
    title: 'GET 100 B, raw lane, throughput against @fastify/http-proxy',
    other: 'http-proxy',
  },
  {
    ...throughput,
    scenario: 'post-1k',
    title: 'POST 1 KiB, raw lane, throughput against @fastify/reply-from',
    other: 'reply-from',
  },
  {
    ...throughput,
    scenario: 'post-1k',
    title: 'POST 1 KiB, raw lane, throughput against @fastify/http-proxy',
    other: 'http-proxy',
  },
  {
    scenario: 'get-100',
    title: 'GET 100 B, raw lane, CPU per request against Caddy',
    figure: 'cpuPerRequest',
    one: 'ours-raw',
    other: 'caddy',
    atMost: 0.85,
  },
  {
    scenario: 'get-100',
    title: 'GET 100 B, raw lane, CPU per request with health checks and circuit breakers against without',
    figure: 'cpuPerRequest',
    one: 'ours-checked',
    other: 'ours-raw',
    atMost: 1.05,
  },
  {
    scenario: 'get-100',
    title: 'GET 100 B, raw lane, CPU per request with admin routes and the page against without',
    figure: 'cpuPerRequest',
    one: 'ours-admin',
    other: 'ours-raw',
    atMost: 1.03,
  },
  {
    ...throughput,
    scenario: 'get-100',
    title: 'GET 100 B, full lane, throughput against @fastify/reply-from',
    one: 'ours-full',
    other: 'reply-from',
    atLeast: 1.2,
  },
]

/** A target, and what was measured. */
export interface JudgedTarget {
  readonly title: string
  readonly wanted: string
  readonly ratio: number
  readonly reached: boolean
}

/** Judges the targets of a scenario of which both sides have run. */
export function judgeTargets(scenario: string, samples: Samples): JudgedTarget[] {
  const byName = new Map([...samples].map(([{ name }, own]) => [name, own]))
  return targets.flatMap((target) => {
    const one = byName.get(target.one)
    const other = byName.get(target.other)
    if (target.scenario !== scenario || one === undefined || other === undefined) return []
    const { atLeast = 0, atMost = Infinity, title } = target
    const ratio = spread(ratios(one, other, target.figure)).median
    const wanted = target.atMost === undefined ? `at least ${atLeast} ×` : `at most ${atMost} ×`
    return [{ title, wanted, ratio, reached: ratio >= atLeast && ratio <= atMost }]
  })
}
