import type { BackendView } from '../api/views.ts'

/** Panic mode in words: how many backends are unhealthy, and what happens now. */
export function panicText(backends: readonly Pick<BackendView, 'vetoes'>[]): string {
  const inRotation = backends.filter(({ vetoes }) => !vetoes.some(({ hard }) => hard))
  const healthy = inRotation.filter(({ vetoes }) => vetoes.length === 0).length
  const count = inRotation.length
  const out = backends.length - count
  const which = out === 0 ? 'backends' : 'backends in rotation'
  const state =
    healthy > 0
      ? `Only ${healthy} of ${count} ${which} ${healthy === 1 ? 'is' : 'are'} healthy.`
      : count === 1
        ? `The only ${which.replace('backends', 'backend')} is unhealthy.`
        : `All ${count} ${which} are unhealthy.`
  const rest = out === 0 ? '' : ' Backends that are draining or in maintenance get no requests.'
  return `${state} Health is ignored and requests are tried on ${count === 1 ? 'it' : 'all of them'}.${rest}`
}
