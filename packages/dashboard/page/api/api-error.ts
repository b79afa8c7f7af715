import type { FaultView } from './views.ts'

/** A request that was refused, or could not be made: then `status` is 0. */
export class ApiError extends Error {
  readonly status: number
  /** Everything that is wrong with the request, if more than the message says. */
  readonly faults: readonly string[]

  constructor(status: number, { message, faults = [] }: FaultView) {
    super(message)
    this.status = status
    this.faults = faults
  }
}
