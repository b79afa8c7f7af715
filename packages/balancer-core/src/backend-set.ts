import type { Backend } from './backend.ts'

/** What is known at one instant. Immutable: whoever writes builds a new one and swaps one reference. */
export interface BackendSet {
  /** Every backend, in the order given. */
  readonly all: readonly Backend[]
  /** What a policy may pick from. */
  readonly available: readonly Backend[]
  /** Rises by one with each change of the list; vetoes do not move it. */
  readonly revision: number
  /** Soft vetoes are being ignored, because too few backends are left without them. */
  readonly panicking: boolean
}

/**
 * Builds the set. Available is whatever has no veto, narrowed to the most preferred priority (lowest number) that has
 * anything available. When the share without veto is 0, or below `panicThreshold` (0 to 1), soft vetoes are ignored;
 * hard ones never are. `false` turns panic off. (Envoy's panic routing, with YARP's threshold of "none at all".)
 */
export function backendSet(all: readonly Backend[], revision: number, panicThreshold: number | false): BackendSet {
  const permitted = all.filter((backend) => !backend.vetoes.some(({ hard }) => hard))
  let available = permitted.filter((backend) => backend.vetoes.length === 0)
  const short = available.length === 0 || available.length < permitted.length * Number(panicThreshold)
  const panicking = panicThreshold !== false && short && available.length < permitted.length
  if (panicking) available = permitted
  const preferred = available.reduce((least, { priority }) => Math.min(least, priority), Infinity)
  return Object.freeze({
    all: Object.freeze([...all]),
    available: Object.freeze(available.filter(({ priority }) => priority === preferred)),
    revision,
    panicking,
  })
}
