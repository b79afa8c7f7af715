import { availableParallelism } from 'node:os'

/** How many processes share the work: so many, or one for each core that this process may use. */
export type Workers = number | 'auto'

/** More would be a mistake. */
export const mostWorkers = 512

/** How many processes that is. */
export function countOf(workers: Workers = 1): number {
  return workers === 'auto' ? availableParallelism() : workers
}

/** What a text of the command line or of a variable means; undefined if nothing. */
export function workersFrom(text: unknown): Workers | undefined {
  if (text === 'auto') return text
  const count = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text
  return typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= mostWorkers ? count : undefined
}
