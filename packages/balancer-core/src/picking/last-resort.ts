import type { Backend } from '../backends/backend.ts'
import { wasTried, type Seeker } from './seeker.ts'

/** Most unhealthy backends that are tried for one request. */
export const maxLastResorts = 3

/**
 * Where a request may still go when every backend that is available has failed it and none has answered it: to those that
 * have soft vetoes only. In a rolling restart the one that is back is not yet trusted when the last of the others stops.
 * `limit` is how long that may take in all, in ms; 0 = no limit. The most preferred and least busy come first. Whether one
 * that a backend may have acted upon may be sent again at all was decided before: see `retry.ts`.
 */
export function lastResorts(all: readonly Backend[], seeker: Seeker, limit: number): readonly Backend[] {
  const { attempts, clock } = seeker
  // It had an answer, even if one that was to be retried.
  if (attempts.some(({ started, outcome }) => started && (outcome === undefined || outcome === 'ok'))) return []
  const earlier = attempts.filter(({ lastResort }) => lastResort)
  if (earlier.length >= maxLastResorts) return []
  if (limit > 0 && earlier.length > 0 && clock.now() - earlier[0]!.startedAt >= limit) return []
  return all.filter(
    (backend) => backend.vetoes.length > 0 && !backend.vetoes.some(({ hard }) => hard) && !wasTried(backend, seeker),
  )
}
