/** The outcome of an action. */
export interface Told {
  readonly isRefusal: boolean
  readonly text: string
}
