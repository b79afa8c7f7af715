import type { Probe } from './probing.ts'

/** What a probe of the user's is told of a backend. */
export interface ProbedBackend {
  readonly id: string
  /** Its origin. */
  readonly url: string
  readonly tags: readonly string[]
  readonly zone: string | undefined
}

/**
 * A probe of the user's: whoever resolves is well, whoever rejects is not. `signal` is aborted when its time is over or
 * its answer no longer wanted; what it says after that is not heard.
 */
export type CustomProbe = (backend: ProbedBackend, signal: AbortSignal) => Promise<unknown>

/** Makes a probe of a function. */
export function customProbe(ask: CustomProbe): Probe {
  return ({ id, url, tags, zone }, probing) => {
    const controller = new AbortController()
    probing.sent = `probe of ${url}`
    probing.closeBy(() => controller.abort())
    // Written without async by mistake, it may also answer or throw at once.
    const asked = new Promise((resolve) => resolve(ask({ id, url, tags, zone }, controller.signal)))
    asked.then(
      () => probing.good('good'),
      (error: unknown) => probing.failed(error),
    )
  }
}
