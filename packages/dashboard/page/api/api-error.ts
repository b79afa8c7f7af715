import type { FaultView } from './views.ts'

/** A request was refused; or it could not be made, then `status` is 0. */
export class ApiError extends Error {
  readonly status: number
  /** Everything that is wrong with the request, if the server lists it. */
  readonly faults: readonly string[]

  constructor(status: number, { message, faults = [] }: FaultView) {
    super(message)
    this.status = status
    this.faults = faults
  }
}
