import { count } from '../figures-text.ts'
import type { ExplainedBackend, ExplanationView } from '../api/views.ts'

/** Why a backend would be picked, or would not. */
export function verdictOf(backend: ExplainedBackend, { picked, panicking, backends }: ExplanationView): string {
  const { id, vetoes, inFlight, maxInFlight, priority, score } = backend
  if (id === picked) return vetoes.length > 0 ? 'picked, in spite of its vetoes: panic' : 'picked'
  const counted = panicking ? vetoes.filter(({ hard }) => hard) : vetoes
  if (counted.length > 0) return counted.map(({ by, reason }) => `vetoed by ${by}: ${reason}`).join('; ')
  if (inFlight >= maxInFlight) return `full: ${inFlight} of ${maxInFlight} in flight`
  const other = backends.find((one) => one.id === picked)
  if (other !== undefined && priority > other.priority) return `priority ${priority} comes after ${other.priority}`
  if (other !== undefined && score !== null && other.score !== null && score > other.score)
    return `its score ${count(score)} is worse than ${count(other.score)}`
  return 'not its turn'
}
