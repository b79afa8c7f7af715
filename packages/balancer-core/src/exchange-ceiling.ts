import type { Clock } from './clock.ts'

/** Share of the file descriptors that requests may use; each request needs two: the client's and the backend's. */
const share = 0.8
const socketsEach = 2
/** The limit where the system has none for open files: Windows. */
const withoutLimit = 16_384

/** The part of Node's diagnostic report that is read; Node's types lack `excludeNetwork`. */
interface Report {
  excludeNetwork: boolean
  getReport(): { readonly userLimits?: { readonly open_files?: { readonly soft: number | 'unlimited' } } }
}

/** How many file descriptors this process may have open (`ulimit -n`); undefined where there is no such limit. */
function openFilesLimit(): number | undefined {
  const report = process.report as unknown as Report
  const { excludeNetwork } = report
  // Otherwise it would look up the names of all peers.
  report.excludeNetwork = true
  const { userLimits } = report.getReport()
  report.excludeNetwork = excludeNetwork
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : undefined
}

let byDefault: number | undefined

/** Default for `maxExchanges`: two fifths of `ulimit -n`, or 16 384. */
export function defaultCeiling(): number {
  if (byDefault === undefined) {
    const files = openFilesLimit()
    byDefault = files === undefined ? withoutLimit : Math.max(1, Math.floor((files * share) / socketsEach))
  }
  return byDefault
}

let underWay = 0

/** The exchanges of one balancer that are under way. */
export class Exchanges {
  count = 0
  #whenEmpty: (() => void) | undefined

  /** One more is under way; false if there is no room: `ceiling` counts over all balancers of this process. */
  enter(ceiling: number | undefined): boolean {
    this.count++
    if (underWay >= (ceiling ?? defaultCeiling())) return false
    underWay++
    return true
  }

  /** One that had room needs it no longer. */
  giveRoom(): void {
    underWay--
  }

  /** One has ended. */
  leave(): void {
    if (--this.count === 0) this.#whenEmpty?.()
  }

  /** Resolves when all have ended, or after `deadline` ms; 0 = none. */
  end(clock: Clock, deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = deadline > 0 ? clock.setTimeout(resolve, deadline) : undefined
      this.#whenEmpty = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
  }
}
