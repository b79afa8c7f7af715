import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Which side of the measurement a process belongs to: these two never share a core, where there are two. */
type PinnedSide = 'proxy' | 'load'
/** `both` runs on every core. */
export type Side = PinnedSide | 'both'

/** The cores that this process may run on; the list looks like `0-3,6`. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, step) => first! + step)
  })
}

function choose(): Record<PinnedSide, readonly number[]> | undefined {
  const cores = allowedCores()
  if (cores.length < 2 || spawnSync('taskset', ['--version']).error !== undefined) return undefined
  return { proxy: cores.slice(0, 1), load: cores.slice(1) }
}

/** One core for the proxy, the others for load and backends; undefined where `taskset` or a second core is missing. */
export const cores = choose()

/** How many workers keep the cores of the load side busy. */
export const loadWorkers = cores?.load.length ?? 1

/** The command that runs `command` on the cores of its side. */
export function pinned(side: Side, command: string, args: readonly string[]): [string, string[]] {
  if (cores === undefined || side === 'both') return [command, [...args]]
  return ['taskset', ['--cpu-list', cores[side].join(','), command, ...args]]
}

/** Moves this process, with all its threads, off the core of the proxy. */
export function leaveProxyCore(): void {
  if (cores === undefined) return
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores.load.join(','), String(process.pid)])
}
