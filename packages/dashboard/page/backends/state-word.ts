import type { BackendView } from '../api/views.ts'

/** How a backend is, in one word. */
export type StateWord = 'available' | 'vetoed' | 'draining' | 'maintenance'

/** An order to take it out of use says more than vetoes do. */
export function stateWord({ state, available }: Pick<BackendView, 'state' | 'available'>): StateWord {
  if (state === 'drain') return 'draining'
  if (state === 'maintenance') return 'maintenance'
  return available ? 'available' : 'vetoed'
}
