import { autocannonVersion, runAutocannon } from './autocannon.ts'
import type { Load } from './load.ts'
import { runWrk, wrkVersion } from './wrk.ts'

/** wrk, or autocannon where it is missing. */
export function chooseLoad(): { readonly title: string; readonly load: Load } {
  const version = wrkVersion()
  if (version !== undefined) return { title: `wrk ${version}`, load: runWrk }
  return { title: `autocannon ${autocannonVersion()} (wrk is not installed)`, load: runAutocannon }
}
