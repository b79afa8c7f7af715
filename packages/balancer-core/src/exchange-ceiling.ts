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

/** Counts one more request in this process, over all its balancers; false if that is more than `ceiling`. */
export function enterProcess(ceiling: number | undefined): boolean {
  return ++underWay <= (ceiling ?? defaultCeiling())
}

/** One has ended. */
export function leaveProcess(): void {
  underWay--
}
