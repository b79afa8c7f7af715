import type { SetView } from './list-views.ts'
import type { FaultView } from './views.ts'

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
