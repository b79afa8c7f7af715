import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** The id of the heading of the backends: it has the focus when the row is gone that had it. */
export const headingId = 'backends'

/** Gives the focus back to what had it before, or, if that is gone, to the heading of the backends. */
export function giveFocusBack(before: Element | null): void {
  const next = before?.isConnected === true ? before : document.getElementById(headingId)
  if (next instanceof HTMLElement) next.focus()
}

/** Keeps the focus in a part of the page when what has it goes while the part is drawn anew. */
export function useFocusKept(part: RefObject<HTMLElement | null>): void {
  const { activeElement } = document
  const before = part.current?.contains(activeElement) === true ? activeElement : null
  useLayoutEffect(() => {
    if (before?.isConnected === false && document.activeElement === document.body) giveFocusBack(before)
  })
}
