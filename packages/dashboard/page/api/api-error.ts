import type { SetView } from './list-views.ts'

/** An error response. */
export interface FaultView {
  readonly message: string
  readonly faults?: readonly string[]
  /** With 412: the current list. */
  readonly current?: SetView
}

/** A request was refused; or it could not be made, then `status` is 0. */
export class ApiError extends Error {
  readonly status: number
  /** Everything that is wrong with the request, if the server lists it. */
  readonly faults: readonly string[]
  /** The current list, if the change was based on an earlier one (412). */
  readonly current: SetView | undefined

  constructor(status: number, { message, faults = [], current }: FaultView) {
    super(message)
    this.status = status
    this.faults = faults
    this.current = current
  }
}
