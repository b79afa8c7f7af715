import type { FaultView } from './views.ts'

/** A request that was refused, or could not be made: then `status` is 0. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string | undefined
  /** Everything that is wrong with the request, if more than the message says. */
  readonly faults: readonly string[]

  constructor(status: number, { message, code, faults = [] }: Pick<FaultView, 'message' | 'code' | 'faults'>) {
    super(message)
    this.status = status
    this.code = code
    this.faults = faults
  }
}
