import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inBrowser, together } from './browser.ts'
import { chartWatch, drawnCharts, type Box, type DrawnChart } from './drawn-charts.ts'
import { eventually } from './eventually.ts'
import { away, Stage } from './stage.ts'
import type { Visit } from './visit.ts'

interface Told {
  readonly requests?: number
  readonly failed?: number
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number }
}

/** The larger ones come later, as charts do not forget. */
const all: Readonly<Record<string, Told>> = {
  few: { requests: 12, failed: 1, latency: { p50: 3.2, p95: 48, p99: 420 } },
  many: { requests: 150_000, failed: 149_999, latency: { p50: 1234, p95: 2500, p99: 4300 } },
  'far too many': { requests: 123e6, failed: 122e6, latency: { p50: 123_456, p95: 36e5, p99: 864e5 } },
}

/** Somebody looks at a page that is told what `retell` says. */
async function watch(stage: Stage): Promise<Visit> {
  const visit = await stage.visit({ allowed: away })
  await visit.page.addInitScript(chartWatch)
  await visit.page.reload()
  return visit.live()
}

/** Until the page shows it. */
async function retell(visit: Visit, told: Told): Promise<void> {
  await visit.page.evaluate(`retell(${JSON.stringify(told)})`)
  await eventually(
    'the page shows what is told',
    () => visit.figure('p99'),
    (p99) => p99 === told.latency.p99,
  )
}

/** What is drawn from now on. */
async function redrawn({ page }: Visit): Promise<readonly DrawnChart[]> {
  await page.evaluate('forgetLabels()')
  return eventually(
    'every chart is drawn again',
    () => drawnCharts(page),
    (charts) => charts.length === 3 && charts.every(({ labels }) => labels.length > 0),
  )
}

function overlap(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}

function assertLegible({ title, labels, width }: DrawnChart, look: string): void {
  const written = labels.map(({ text }) => text).join(' | ')
  assert.ok(labels.length >= 5, `${look}: ${title} has two axes: ${written}`)
  for (const { text, left, right } of labels)
    assert.ok(
      left >= 0 && right <= width,
      `${look}: ${title} from ${left} to ${right} of ${width}: ${text} (${written})`,
    )
}

function assertNothingCovered({ title, figure, caption, chart, legend }: DrawnChart, look: string): void {
  assert.ok(legend.length >= 2, `${look}: ${title} has a legend`)
  for (const part of legend) {
    const where = `${look}: ${title}: ${JSON.stringify({ part, caption, chart, figure })}`
    assert.equal(overlap(part, caption), false, `the legend covers the caption: ${where}`)
    assert.equal(overlap(part, chart), false, `the legend covers the chart: ${where}`)
    assert.ok(part.left >= figure.left - 1 && part.right <= figure.right + 1, `the legend is in its figure: ${where}`)
  }
}

describe('the charts', together, () => {
  test('whatever is told, every label is legible, and the legend covers nothing', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'] })
    const visit = await watch(stage)
    const { page } = visit
    for (const [amount, told] of Object.entries(all)) {
      await retell(visit, told)
      for (const width of [1280, 1000, 400]) {
        await page.setViewportSize({ width, height: 1200 })
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme })
          const look = `${amount}, ${width} px, ${colorScheme}`
          for (const chart of await redrawn(visit)) {
            assertLegible(chart, look)
            assertNothingCovered(chart, look)
          }
          assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width)
        }
      }
    }
  })

  test('a chart stays where it is while its figures change', inBrowser, async (t) => {
    const stage = await Stage.start(t, { ids: ['alpha'] })
    const visit = await watch(stage)
    const { page } = visit
    for (const width of [1280, 400]) {
      await page.setViewportSize({ width, height: 1200 })
      const tops = new Set<number>()
      for (const ms of [1, 9994]) {
        await retell(visit, { latency: { p50: ms, p95: ms, p99: ms } })
        tops.add((await redrawn(visit))[2]!.chart.top)
      }
      assert.equal(tops.size, 1, `${width} px: from the top ${[...tops].join(', ')} px`)
    }
  })
})
