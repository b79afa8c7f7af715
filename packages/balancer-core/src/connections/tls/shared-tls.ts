import { BackendTls } from './backend-tls.ts'
import { overlaid, type TlsOptions } from './tls-options.ts'

/** TLS to the backends of one balancer: those without options of their own share one object. */
export class SharedTls {
  #common: BackendTls | undefined

  /**
   * For a backend whose `own` options are laid over those of `all`; the one that it had `before`, if that still fits.
   * @throws Error naming every file that cannot be read
   */
  of(id: string, all: TlsOptions, own: TlsOptions | undefined, before?: BackendTls): BackendTls {
    if (own === undefined) {
      if (this.#common?.isFor(all) !== true) this.#common = new BackendTls(all, undefined, 'pool.tls')
      return before?.isOwn(undefined) === true && before.isFor(all) ? before : this.#common
    }
    const options = overlaid(all, own)
    if (before?.isOwn(own) === true && before.isFor(options)) return before
    return new BackendTls(options, own, `backends.${id}.tls`)
  }
}
