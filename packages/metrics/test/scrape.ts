import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'

/** Every line of a scrape that is a figure: `name{label="value"}` to number. */
export type Figures = Readonly<Record<string, number>>

/** Reads the text form. */
export function figuresIn(text: string): Figures {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

/** Asks the app itself, by HTTP, and reads the answer. */
export async function scrape(app: FastifyInstance, url = '/metrics'): Promise<Figures> {
  const { body } = await app.inject(url)
  return figuresIn(body)
}

/** The labels of every series, by its name: buckets of a histogram are one of their own. */
export async function labelsOf({ balancerMetrics }: FastifyInstance): Promise<ReadonlyMap<string, Set<string>>> {
  const series = new Map<string, Set<string>>()
  for (const { name, values } of (await balancerMetrics.registry.getMetricsAsJSON()) as unknown as Families) {
    assert.ok(values.length > 0, `${name} has lines`)
    for (const { metricName = name, labels } of values) {
      const known = series.get(metricName) ?? new Set()
      series.set(metricName, known)
      for (const label of Object.keys(labels)) known.add(label)
    }
  }
  return series
}

type Families = readonly {
  readonly name: string
  readonly values: readonly { readonly metricName?: string; readonly labels: Readonly<Record<string, unknown>> }[]
}[]

/** Those lines of a metric that are not 0: most counters have a line from the start. */
export function counted(figures: Figures, name: string): Figures {
  return Object.fromEntries(Object.entries(only(figures, name)).filter(([, value]) => value !== 0))
}

/** The lines of one metric, by their labels. */
export function only(figures: Figures, name: string): Figures {
  return Object.fromEntries(
    Object.entries(figures)
      .filter(([line]) => line.startsWith(`${name}{`))
      .map(([line, value]) => [line.slice(name.length), value]),
  )
}
