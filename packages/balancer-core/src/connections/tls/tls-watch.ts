import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { BackendTls } from './backend-tls.ts'
import { marksOf } from './tls-files.ts'

/** How often files are looked at (ms). */
const period = 1000

/** Most files or faults that a line names. */
const mostTold = 10

/**
 * Sees when certificates and keys change, also by a link that is swapped, as Kubernetes does it. Files that belong together
 * are seldom written at one moment: they are read when two looks in a row find them the same.
 */
export class TlsWatch {
  readonly #clock: Clock
  readonly #balancer: string
  readonly #log: FastifyBaseLogger | undefined
  readonly #onRenewed: (tls: BackendTls) => void
  /** The marks of their files at the last look. */
  readonly #seen = new Map<BackendTls, string>()
  #timer: unknown

  constructor(
    clock: Clock,
    balancer: string,
    log: FastifyBaseLogger | undefined,
    onRenewed: (tls: BackendTls) => void,
  ) {
    this.#clock = clock
    this.#balancer = balancer
    this.#log = log
    this.#onRenewed = onRenewed
  }

  /** Those of the current set are looked at from now on, and no others. */
  keepOnly(all: Iterable<{ readonly tls: BackendTls }>): void {
    const current = new Set<BackendTls>()
    for (const { tls } of all) if (tls.files.length > 0) current.add(tls)
    for (const tls of this.#seen.keys()) if (!current.has(tls)) this.#seen.delete(tls)
    for (const tls of current) if (!this.#seen.has(tls)) this.#seen.set(tls, tls.marks)
    if (this.#seen.size > 0) this.#timer ??= this.#clock.setTimeout(() => this.#look(), period)
    else this.stop()
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    this.#timer = this.#clock.setTimeout(() => this.#look(), period)
    const files = new Set<string>()
    const faults: string[] = []
    for (const [tls, last] of this.#seen) {
      const marks = marksOf(tls.files)
      this.#seen.set(tls, marks)
      if (marks !== last || marks === tls.marks) continue
      try {
        if (!tls.reread()) continue
        this.#onRenewed(tls)
        for (const file of tls.files) files.add(file)
      } catch (error) {
        faults.push((error as Error).message)
      }
    }
    this.#tell([...files], faults)
  }

  /** However many backends it concerns: one line of each kind. */
  #tell(files: readonly string[], faults: readonly string[]): void {
    const balancer = this.#balancer
    const [first] = faults
    if (first !== undefined) {
      const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
      this.#log?.warn(
        { balancer, faults: faults.slice(0, mostTold) },
        `balancer ${balancer}: the TLS files have changed and cannot be used, so what was in them before stays in use: ${first}${more}`,
      )
    }
    if (files.length > 0)
      this.#log?.info(
        { balancer, files: files.slice(0, mostTold) },
        `balancer ${balancer}: the TLS files have changed; new connections to its backends use them`,
      )
  }
}
