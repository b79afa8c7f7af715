/** A longer header is no report: it is ignored (characters). */
const longest = 4096

/** The figures that are used. Others are ignored. */
export interface LoadReport {
  /** Requests that the backend works on now, for whomever (`named_metrics.requests_in_flight`). */
  readonly inFlight?: number
  /** Requests in its own queue (`named_metrics.num_requests_waiting`: vLLM). */
  readonly waiting?: number
  /** Its own mean time to answer, in ms (`named_metrics.latency_ms`). */
  readonly latency?: number
  /** How much of it is in use, 0 to 1: the largest of all kinds that it tells. */
  readonly utilization?: number
}

/** Where each metric goes, and the most that is believed. */
const metrics: Readonly<Record<string, readonly [keyof LoadReport, number]>> = {
  'named_metrics.requests_in_flight': ['inFlight', 100_000],
  'named_metrics.num_requests_waiting': ['waiting', 100_000],
  'named_metrics.latency_ms': ['latency', 600_000],
  'named_metrics.kv_cache_usage_perc': ['utilization', 1],
  cpu_utilization: ['utilization', 1],
  application_utilization: ['utilization', 1],
}

/** Reads a report in ORCA's text or JSON format. Undefined if nothing in it can be used; never throws. */
export function parseReport(header: string): LoadReport | undefined {
  if (header.length > longest) return undefined
  const pairs = /^\s*TEXT /.test(header) ? textPairs(header) : /^\s*JSON /.test(header) ? jsonPairs(header) : []
  const report: { -readonly [Name in keyof LoadReport]: number } = {}
  for (const [name, value] of pairs) {
    if (!Object.hasOwn(metrics, name) || !Number.isFinite(value) || value < 0) continue
    const [figure, most] = metrics[name]!
    report[figure] = Math.max(report[figure] ?? 0, Math.min(value, most))
  }
  return Object.keys(report).length === 0 ? undefined : report
}

type Pairs = readonly (readonly [name: string, value: number])[]

/** `TEXT cpu_utilization=0.3, named_metrics.num_requests_waiting=3.0` */
function textPairs(header: string): Pairs {
  const body = header.slice(header.indexOf('TEXT ') + 5)
  return body.split(',').map((pair) => {
    const at = pair.indexOf('=')
    const value = pair.slice(at + 1).trim()
    return [pair.slice(0, Math.max(at, 0)).trim(), value === '' ? NaN : Number(value)]
  })
}

/** `JSON {"cpu_utilization": 0.3, "named_metrics": {"num_requests_waiting": 3.0}}` */
function jsonPairs(header: string): Pairs {
  try {
    return pairsOf(JSON.parse(header.slice(header.indexOf('JSON ') + 5)), '')
  } catch {
    return []
  }
}

function pairsOf(value: unknown, prefix: string): Pairs {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, one]: [string, unknown]): Pairs => {
    if (typeof one === 'number') return [[prefix + name, one]]
    return prefix === '' && name === 'named_metrics' ? pairsOf(one, 'named_metrics.') : []
  })
}
