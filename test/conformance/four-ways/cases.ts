import { bodies, methods, statuses } from './body-cases.ts'
import { brokenOff } from './broken-cases.ts'
import type { Case, Way } from './case.ts'
import { endings, ours } from './ending-cases.ts'
import { fields, hopByHop, hopByHopBack } from './field-cases.ts'

/** Requests that reach a backend. */
export function casesOf({ client, backend }: Way): Readonly<Record<string, Case>> {
  return {
    ...methods,
    ...statuses,
    ...bodies,
    ...fields,
    ...(client === 1 && hopByHop),
    ...(backend === 1 && hopByHopBack),
    ...endings,
    ...brokenOff,
    ...ours,
  }
}
