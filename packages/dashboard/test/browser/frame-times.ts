import type { Page } from 'playwright-core'

/** How smoothly a page ran, in ms. */
export interface FrameTimes {
  readonly frames: number
  readonly median: number
  readonly p95: number
  readonly longest: number
  /** The longest task of the page's main thread; 0 if none took more than 50. */
  readonly longestTask: number
  /** How often each element that is watched has changed. */
  readonly changes: readonly number[]
}

// These run in the page, where Node's types know nothing of them.
declare function requestAnimationFrame(callback: (at: number) => void): number
declare const document: { querySelector(selector: string): object | null }
declare class MutationObserver {
  constructor(callback: () => void)
  observe(element: object, what: object): void
}
interface Observing {
  observe(what: { type: string }): void
}

/** Measures the frames of a page for `duration` ms, and counts the changes below the elements of `selectors`. */
export function frameTimes(page: Page, duration: number, ...selectors: string[]): Promise<FrameTimes> {
  return page.evaluate(
    async ({ length, watched }) => {
      const changes = watched.map((selector, index) => {
        const observer = new MutationObserver(() => void changes[index]!++)
        observer.observe(document.querySelector(selector)!, {
          subtree: true,
          childList: true,
          characterData: true,
          attributes: true,
        })
        return 0
      })
      let longestTask = 0
      const tasks = new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) longestTask = Math.max(longestTask, entry.duration)
      })
      ;(tasks as unknown as Observing).observe({ type: 'longtask' })
      const begun = performance.now()
      const times: number[] = []
      await new Promise<void>((resolve) => {
        let last: number | undefined
        const onFrame = (at: number) => {
          if (last !== undefined) times.push(at - last)
          last = at
          if (performance.now() - begun < length) requestAnimationFrame(onFrame)
          else resolve()
        }
        requestAnimationFrame(onFrame)
      })
      tasks.disconnect()
      const sorted = times.toSorted((a, b) => a - b)
      const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
      return { frames: times.length, median: at(0.5), p95: at(0.95), longest: at(1), longestTask, changes }
    },
    { length: duration, watched: selectors },
  )
}
