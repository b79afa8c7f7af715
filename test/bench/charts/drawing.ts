import * as vega from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

interface Text {
  readonly text?: string | number
  readonly fontSize?: number
}

// Without a canvas, vega takes letters for 0.8 of their height wide, and leaves the rest empty; those of a sans serif are narrower.
const { textMetrics } = vega as unknown as { textMetrics: { width: (item: Text, text?: string | number) => number } }
textMetrics.width = (item, text = item.text) => `${text ?? ''}`.length * 0.58 * (item.fontSize ?? 11)

/** What the colours of a chart are for, in a light or a dark page. */
export interface Theme {
  readonly background: string
  readonly text: string
  readonly muted: string
  readonly grid: string
  readonly ours: string
  readonly peer: string
  readonly failed: string
  readonly slow: string
}

/** With the page's own ground behind them: some sites show the dark one on white. */
export const themes = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    muted: '#656d76',
    grid: '#d8dee4',
    ours: '#0969da',
    peer: '#8c959f',
    failed: '#cf222e',
    slow: '#bf8700',
  },
  dark: {
    background: '#0d1117',
    text: '#e6edf3',
    muted: '#8d96a0',
    grid: '#30363d',
    ours: '#4493f8',
    peer: '#6e7681',
    failed: '#f85149',
    slow: '#d29922',
  },
} as const satisfies Record<string, Theme>

/** What a chart looks like in a theme. */
export type Chart = (theme: Theme) => TopLevelSpec

/** The axis of what was measured, in the order of the figures; these names are bold. */
export function subjectAxis(bold: readonly string[]) {
  const test = bold.map((name) => `datum.value === '${name}'`).join(' || ')
  return {
    field: 'subject',
    type: 'nominal',
    sort: null,
    axis: { labelFontWeight: { condition: { test, value: 'bold' }, value: 'normal' } },
  } as const
}

const font = 'system-ui, -apple-system, Segoe UI, sans-serif'

/** The chart as SVG: the same for the same figures, on every machine. */
export async function svgOf(chart: Chart, theme: Theme): Promise<string> {
  const { background, text, muted, grid } = theme
  const { spec } = compile(
    { background, padding: 12, ...chart(theme) },
    {
      config: {
        font,
        view: { stroke: null },
        title: { color: text, subtitleColor: muted, anchor: 'start', fontSize: 14, subtitleFontSize: 11, offset: 14 },
        axis: { labelColor: text, titleColor: muted, gridColor: grid, labelFontSize: 11, titleFontWeight: 'normal' },
        axisX: { domain: false, ticks: false, labelColor: muted },
        axisY: { domain: false, ticks: false, grid: false, title: null, labelLimit: 0, labelPadding: 6 },
        header: { labelColor: text, labelFontSize: 12, labelFontWeight: 'bold', labelAnchor: 'start', title: null },
        legend: { labelColor: text, title: null, orient: 'bottom', symbolType: 'square' },
        text: { color: text, fontSize: 11 },
      },
    },
  )
  const view = new vega.View(vega.parse(spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return `${svg}\n`
}
