import type { Backend } from './backend.ts'

/** Immutable snapshot of the backends. Each change builds a new one and swaps one reference. */
export interface BackendSet {
  /** Every backend, in the order given. */
  readonly all: readonly Backend[]
  /**
   * What a policy may pick from: in panic mode also backends with a soft veto. In JSON these are the `eligible` ones, and
   * `available` are all without a veto, as `Backend.available` says.
   */
  readonly available: readonly Backend[]
  /** The same for the other priorities, the preferred first: used when a request has failed at all of `available`. */
  readonly spare: readonly Backend[]
  /** Draining and otherwise healthy: a policy may still pick them for clients that it has bound to them. */
  readonly draining: readonly Backend[]
  /** Increases by one with each change of the list; vetoes do not change it. */
  readonly revision: number
  /** Panic mode: soft vetoes are ignored, because too few backends are without one. */
  readonly panicking: boolean
}

const none: readonly Backend[] = Object.freeze([])

function isPermitted({ vetoes }: Backend): boolean {
  return vetoes.length === 0 || !vetoes.some(({ hard }) => hard)
}

function isDraining({ keepsBound, vetoes }: Backend): boolean {
  return keepsBound && vetoes.length > 0 && vetoes.every(({ by, hard }) => hard && by === 'drain')
}

/** Splits off those with the lowest priority number, which is the preferred one. */
function byPreference(backends: readonly Backend[]): Pick<BackendSet, 'available' | 'spare'> {
  let preferred = Infinity
  let differ = false
  for (const { priority } of backends) {
    if (priority === preferred) continue
    differ ||= preferred !== Infinity
    preferred = Math.min(preferred, priority)
  }
  if (!differ) return { available: Object.freeze(backends), spare: none }
  const rest = backends.filter(({ priority }) => priority !== preferred)
  return {
    available: Object.freeze(backends.filter(({ priority }) => priority === preferred)),
    spare: Object.freeze(rest.sort((one, other) => one.priority - other.priority)),
  }
}

/**
 * Builds the set. Available are the backends without a veto, of the preferred priority (lowest number) that has any.
 * When the share without a veto is 0, or below `panicThreshold` (0 to 1), soft vetoes are ignored; hard ones never are.
 * `false` turns panic mode off. (Envoy's panic routing, with YARP's threshold of "none at all".)
 */
export function backendSet(all: readonly Backend[], revision: number, panicThreshold: number | false): BackendSet {
  let permitted = 0
  let available: readonly Backend[] = all.filter((backend) => {
    if (isPermitted(backend)) permitted++
    return backend.vetoes.length === 0
  })
  const short = available.length === 0 || available.length < permitted * Number(panicThreshold)
  const panicking = panicThreshold !== false && short && available.length < permitted
  if (panicking) available = all.filter(isPermitted)
  return Object.freeze({
    // A veto changes the set but not the list, which may be long.
    all: Object.isFrozen(all) ? all : Object.freeze([...all]),
    ...byPreference(available),
    draining: Object.freeze(all.filter(isDraining)),
    revision,
    panicking,
  })
}
