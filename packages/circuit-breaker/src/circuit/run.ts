import type { Call } from './call.ts'
import type { CircuitState } from './circuit-options.ts'
import { CircuitOpenError } from './circuit-open-error.ts'

/** Admits calls: a circuit. */
interface Gate {
  readonly state: CircuitState
  readonly reason: string
  begin(): Call | undefined
}

/**
 * Calls the function and counts the result: a rejected promise is a failure, if `counts` says so for its error.
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
    // If `counts` itself throws, a trial must still give its slot back.
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
