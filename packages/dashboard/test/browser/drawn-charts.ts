import type { Page } from 'playwright-core'

/**
 * Runs before the page: figures are told as `retell(…)` says, whatever the server tells, and what is written on a canvas
 * is remembered until that is drawn anew.
 */
export const chartWatch = `{
  let told = {}
  globalThis.retell = (figures) => void (told = figures)
  const Source = EventSource
  globalThis.EventSource = class extends Source {
    addEventListener(type, listener) {
      super.addEventListener(type, (event) => {
        if (type !== 'figures') return listener(event)
        const data = JSON.stringify({ ...JSON.parse(event.data), seconds: 1, ...told })
        listener(new MessageEvent(type, { data, lastEventId: event.lastEventId }))
      })
    }
  }

  const written = new Map()
  const { fillText, clearRect } = CanvasRenderingContext2D.prototype
  Object.assign(CanvasRenderingContext2D.prototype, {
    clearRect(...area) {
      written.set(this.canvas, [])
      clearRect.apply(this, area)
    },
    fillText(text, x, y) {
      const { width } = this.measureText(text)
      const left = x - { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign]
      written.get(this.canvas)?.push({ text, left, right: left + width })
      fillText.call(this, text, x, y)
    },
  })
  globalThis.forgetLabels = () => written.clear()

  const box = (one) => one.getBoundingClientRect().toJSON()
  globalThis.drawnCharts = () => [...document.querySelectorAll('.charts figure')].map((figure) => {
    const canvas = figure.querySelector('canvas')
    const caption = document.createRange()
    caption.selectNodeContents(figure.querySelector('figcaption').firstChild)
    const legend = [...figure.querySelectorAll('th, td')].filter((cell) => cell.getClientRects().length > 0)
    return {
      title: String(caption),
      labels: written.get(canvas) ?? [],
      width: canvas?.width ?? 0,
      figure: box(figure),
      caption: box(caption),
      chart: box(canvas ?? figure),
      legend: legend.map((cell) => ({ text: cell.textContent, ...box(cell) })),
    }
  })
}`

/** A place on the page, in CSS pixels. */
export interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** What there is to see of one chart. */
export interface DrawnChart {
  readonly title: string
  /** What is written on its canvas, in pixels of that; nothing while it has not been drawn. */
  readonly labels: readonly { readonly text: string; readonly left: number; readonly right: number }[]
  /** Of the canvas, in the same pixels. */
  readonly width: number
  readonly figure: Box
  readonly caption: Box
  readonly chart: Box
  /** The names and the figures. */
  readonly legend: readonly (Box & { readonly text: string })[]
}

/** The charts of a page that is watched. */
export function drawnCharts(page: Page): Promise<readonly DrawnChart[]> {
  return page.evaluate<readonly DrawnChart[]>('drawnCharts()')
}
