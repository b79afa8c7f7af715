import { useEffect, useState } from 'preact/hooks'
import type { PageState } from './live/state.ts'
import type { Store } from './live/store.ts'

/** Shortest time between two renderings (ms): nobody reads faster, and each one paints much of the page. */
const shortestBetween = 150

/** The state of the page, updated in animation frames, however often it changes. */
export function usePageState(store: Store): PageState {
  const [state, setState] = useState(store.state)
  useEffect(() => {
    let isDue = false
    let timer: ReturnType<typeof setTimeout> | undefined
    let frame: number | undefined
    let shownAt = -Infinity
    const show = () => {
      isDue = false
      shownAt = performance.now()
      setState(store.state)
    }
    const soon = () => {
      if (isDue) return
      isDue = true
      const wait = shownAt + shortestBetween - performance.now()
      timer = setTimeout(() => {
        frame = requestAnimationFrame(show)
      }, wait)
    }
    soon()
    const leave = store.listen(soon)
    return () => {
      leave()
      clearTimeout(timer)
      if (frame !== undefined) cancelAnimationFrame(frame)
    }
  }, [store])
  return state
}
