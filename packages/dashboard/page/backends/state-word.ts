import type { BackendView } from '../api/views.ts'

/** The state of a backend in one word. */
export type StateWord = 'healthy' | 'unhealthy' | 'draining' | 'maintenance'

/** An operator's order comes before health. */
export function stateWord({ state, available }: Pick<BackendView, 'state' | 'available'>): StateWord {
  if (state === 'drain') return 'draining'
  if (state === 'maintenance') return 'maintenance'
  return available ? 'healthy' : 'unhealthy'
}
