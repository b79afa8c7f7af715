import type { RefObject } from 'preact'
import { useRef } from 'preact/hooks'
import { held } from './arranged.ts'
import type { Arrangement } from './arrangement.ts'
import type { BackendView } from '../api/views.ts'

/** On a touch screen, what was touched last counts as pointed at for ever. */
const canHover = matchMedia('(hover: hover)').matches

/** Somebody is about to click, or is in the rows with the keyboard. */
function isInUse(rows: HTMLElement | null): boolean {
  if (rows === null) return false
  const body = rows.querySelector('tbody')
  if (canHover && body?.matches(':hover') === true) return true
  return body?.querySelector(':focus-visible, .more[aria-expanded=true]') != null
}

/** The rows to show: those wanted, except that none moves while somebody is about to use one. */
export function useHeld(
  rows: RefObject<HTMLElement | null>,
  arrangement: Arrangement,
  wanted: readonly BackendView[],
  all: readonly BackendView[],
): readonly BackendView[] {
  const last = useRef<{ readonly key: string; readonly ids: readonly string[] }>(undefined)
  const key = JSON.stringify(arrangement)
  const { sorting, state } = arrangement
  const canMove = sorting !== undefined || state !== undefined
  const isHeld = canMove && last.current?.key === key && isInUse(rows.current)
  const shown = isHeld ? held(last.current!.ids, wanted, all) : wanted
  last.current = { key, ids: shown.map(({ id }) => id) }
  return shown
}
