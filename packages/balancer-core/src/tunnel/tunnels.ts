import type { Backend, TunnelEnd } from '../backends/backend.ts'
import type { Clock } from '../clock.ts'
import type { Tunnel } from './tunnel.ts'
import type { UpgradeOptions } from './upgrade-options.ts'

/** How long tunnels may go on when the app closes, if requests may go on for ever (ms). */
const longestEnd = 60_000

/** The tunnels of one balancer. */
export class Tunnels {
  readonly #open = new Map<string, Tunnel>()
  #opened = 0

  get size(): number {
    return this.#open.size
  }

  /** A name for the next one, unique in this balancer. */
  nextId(): string {
    return `${++this.#opened}`
  }

  /** All that are open, the oldest first. */
  [Symbol.iterator](): Iterator<Tunnel> {
    return this.#open.values()
  }

  get(id: string): Tunnel | undefined {
    return this.#open.get(id)
  }

  /** Has this backend as many tunnels as it may, or as will be open once handshakes have ended? */
  isFullAt({ tunnelPlaces }: Backend, { maxPerBackend }: UpgradeOptions): boolean {
    return maxPerBackend > 0 && tunnelPlaces >= maxPerBackend
  }

  /** One is open: it counts as part of its backend's load, of this weight. */
  add(tunnel: Tunnel, weight: number): void {
    const { id, backend } = tunnel.purpose
    this.#open.set(id, tunnel)
    backend.tunnels.add(tunnel)
    backend.tunnelLoad = backend.tunnels.size * weight
  }

  /** One has closed. */
  remove(tunnel: Tunnel, weight: number): void {
    const { id, backend } = tunnel.purpose
    if (!this.#open.delete(id)) return
    backend.tunnels.delete(tunnel)
    backend.tunnelLoad = backend.tunnels.size * weight
    backend.tunnelPlaces--
    backend.tellIfIdle()
  }

  /** Closes all, in an orderly way; resolves once they are closed. */
  async shutDown(reason: TunnelEnd): Promise<void> {
    await Promise.all([...this].map((tunnel) => tunnel.shutDown(reason)))
  }

  /** Closes all after a minute: where requests may take for ever, tunnels would have no end. Answers how to cancel that. */
  limit(clock: Clock): () => void {
    const timer = clock.setTimeout(() => void this.shutDown('shutdown'), longestEnd)
    return () => clock.clearTimeout(timer)
  }
}
