import type { Probe } from './probing.ts'

/** The backend, as a user's probe gets it. */
export interface ProbedBackend {
  readonly id: string
  /** Its address. */
  readonly url: string
  readonly tags: readonly string[]
  readonly zone: string | undefined
}

/**
 * A user's probe: resolve = healthy, reject = unhealthy. `signal` is aborted when its time is over or its result is no
 * longer needed; later results are ignored.
 */
export type CustomProbe = (backend: ProbedBackend, signal: AbortSignal) => Promise<unknown>

/** Makes a probe of a function. */
export function customProbe(ask: CustomProbe): Probe {
  return ({ id, url, tags, zone }, probing) => {
    const controller = new AbortController()
    probing.sent = `probe of ${url}`
    probing.closeBy(() => controller.abort())
    // A function that is not async may also return or throw synchronously.
    const asked = new Promise((resolve) => resolve(ask({ id, url, tags, zone }, controller.signal)))
    asked.then(
      () => probing.good('good'),
      (error: unknown) => probing.failed(error),
    )
  }
}
