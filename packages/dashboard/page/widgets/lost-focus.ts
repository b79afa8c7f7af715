import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** Id of the heading of the backends: it gets the focus when the focused row disappears. */
export const headingId = 'backends'

/** Returns the focus to the earlier element, or, if that is gone, to the heading of the backends. */
export function giveFocusBack(before: Element | null): void {
  const next = before?.isConnected === true ? before : document.getElementById(headingId)
  if (next instanceof HTMLElement) next.focus()
}

/** Keeps the focus in a part of the page when a rendering removes the focused element. */
export function useFocusKept(part: RefObject<HTMLElement | null>): void {
  const { activeElement } = document
  const before = part.current?.contains(activeElement) === true ? activeElement : null
  useLayoutEffect(() => {
    if (before?.isConnected === false && document.activeElement === document.body) giveFocusBack(before)
  })
}
