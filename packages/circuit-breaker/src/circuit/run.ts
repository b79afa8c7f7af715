import type { Call } from './call.ts'
import type { CircuitState } from './circuit-options.ts'
import { CircuitOpenError } from './circuit-open-error.ts'

/** What is asked whether a call may begin. */
interface Gate {
  readonly state: CircuitState
  readonly reason: string
  begin(): Call | undefined
}

/**
 * Calls, and reports how it went: a promise that is rejected has failed, if `counts` says so of its error.
 * @throws CircuitOpenError when no call is admitted
 */
export async function run<T>(
  gate: Gate,
  start: () => T | PromiseLike<T>,
  counts: (error: unknown) => boolean,
): Promise<T> {
  const call = gate.begin()
  if (call === undefined) throw new CircuitOpenError(gate.state, gate.reason)
  try {
    const value = await start()
    call.succeed()
    return value
  } catch (error) {
    // Should `counts` itself throw, a trial must not keep its slot.
    let isFailure = false
    try {
      isFailure = counts(error)
    } finally {
      if (isFailure) call.fail()
      else call.withdraw()
    }
    throw error
  }
}
