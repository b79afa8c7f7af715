/** A request, as the client saw it. */
export interface Asked {
  /** When it was to be sent, ms after the beginning. */
  readonly at: number
  /** ms from then until the whole answer was there, or the client knew that none comes. */
  readonly took: number
  /** '' if it was answered well. */
  readonly problem: string
}
