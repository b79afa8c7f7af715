import { count } from '../figures-text.ts'
import type { ExplainedBackend, ExplanationView } from '../api/explanation-view.ts'
import type { VetoView } from '../api/views.ts'

function vetoText({ by, reason }: VetoView): string {
  if (by === 'drain') return `draining, ${reason}`
  return by === 'maintenance' ? `in maintenance, ${reason}` : `unhealthy (${by}): ${reason}`
}

/** Why a backend would be picked, or not. */
export function verdictOf(backend: ExplainedBackend, { picked, panicking, backends }: ExplanationView): string {
  const { id, vetoes, inFlight, limit, priority, score } = backend
  if (id === picked) return vetoes.length > 0 ? 'picked although unhealthy (panic mode)' : 'picked'
  const counted = panicking ? vetoes.filter(({ hard }) => hard) : vetoes
  if (counted.length > 0) return counted.map(vetoText).join('; ')
  if (inFlight >= limit) return `full: ${inFlight} of ${limit} in flight`
  const other = backends.find((one) => one.id === picked)
  if (other !== undefined && priority > other.priority)
    return `lower priority (${priority}; the picked one has ${other.priority})`
  if (other !== undefined && score !== null && other.score !== null && score > other.score)
    return `worse score (${count(score)}; the picked one has ${count(other.score)})`
  return 'not its turn'
}
