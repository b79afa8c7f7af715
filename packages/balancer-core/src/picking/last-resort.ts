import type { Backend } from '../backends/backend.ts'
import { wasTried, type Seeker } from './seeker.ts'

/** Most unhealthy backends that are tried for one request. */
export const maxLastResorts = 3

/**
 * Where a request may still go when no available backend has received it: to unhealthy ones (soft vetoes only). In a
 * rolling restart, the restarted backend is not yet healthy again when the last of the others stops. `limit` is the
 * time for all these attempts together, in ms; 0 = no limit. The preferred and least busy come first.
 */
export function lastResorts(all: readonly Backend[], seeker: Seeker, limit: number): readonly Backend[] {
  const { attempts, clock } = seeker
  // On a kept connection that was closed, the backend has read nothing.
  if (attempts.some(({ started, outcome }) => started && outcome !== 'stale-connection')) return []
  const earlier = attempts.filter(({ lastResort }) => lastResort)
  if (earlier.length >= maxLastResorts) return []
  if (limit > 0 && earlier.length > 0 && clock.now() - earlier[0]!.startedAt >= limit) return []
  return all.filter(
    (backend) => backend.vetoes.length > 0 && !backend.vetoes.some(({ hard }) => hard) && !wasTried(backend, seeker),
  )
}
