/** Counts by status class: index 2 is 200–299, index 0 is no status, or one of no class, such as 600. */
export type StatusCounts = number[]

/** None so far. */
export const noStatuses = (): StatusCounts => [0, 0, 0, 0, 0, 0]

/** Counts a status; 0 is none. */
export function countStatus(counts: StatusCounts, status: number): void {
  counts[status < 600 ? Math.trunc(status / 100) : 0]!++
}

/** The same by name, without those that have no status. */
export function byClass(counts: StatusCounts): Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number> {
  const [, information = 0, success = 0, redirection = 0, clientError = 0, serverError = 0] = counts
  return { '1xx': information, '2xx': success, '3xx': redirection, '4xx': clientError, '5xx': serverError }
}
