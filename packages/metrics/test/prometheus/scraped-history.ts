/** Seconds between two scrapes of what is made up here. */
const interval = 60

/** When the incident begins, and the end, in minutes; before it all is well. */
export const begin = 10
export const end = begin + 15

/** What a series is before and during an incident: a gauge's value, or how much a counter grows per second. */
export type Course = readonly [before: number, during: number | ((minute: number) => number)]

/** One series as `promtool test rules` takes it. */
export interface Series {
  readonly series: string
  readonly values: string
}

function valuesOf([before, during]: Course, isCounter: boolean): string {
  const values: number[] = []
  let sum = 0
  for (let second = 0; second <= end * 60; second += interval) {
    const minute = second / 60
    const value = minute < begin ? before : typeof during === 'function' ? during(minute) : during
    values.push(isCounter ? sum : value)
    sum += value * interval
  }
  return values.join(' ')
}

/** Series by their names and labels, with what becomes of them; those that end with `_total` or `_bucket` are counters. */
export function historyOf(courses: ReadonlyMap<string, Course>): Series[] {
  return [...courses].map(([series, course]) => ({
    series,
    values: valuesOf(course, /_(?:total|bucket)\{/.test(series)),
  }))
}

/** The tests of one incident, for `promtool`. */
export function incidentTest(
  name: string,
  courses: ReadonlyMap<string, Course>,
  firing: readonly (readonly [minute: number, alerts: Readonly<Record<string, number>>])[],
) {
  return {
    name,
    interval: `${interval}s`,
    input_series: historyOf(courses),
    promql_expr_test: firing.map(([minute, alerts]) => ({
      // The comment tells in a failure which incident it is about.
      expr: `count by (alertname) (ALERTS{alertstate="firing"}) # ${name}`,
      eval_time: `${minute}m`,
      exp_samples: Object.entries(alerts).map(([alert, value]) => ({
        labels: `{alertname="FastifyBalancer${alert}"}`,
        value,
      })),
    })),
  }
}
