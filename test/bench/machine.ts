import { cpus, release, totalmem, type } from 'node:os'
import { cores } from './pinning.ts'

/** Where figures come from. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memory: string
  readonly system: string
  readonly node: string
  /** Which cores; undefined when nothing was pinned. */
  readonly pinned?: { readonly proxy: string; readonly load: string }
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    ...(cores !== undefined && { pinned: { proxy: cores.proxy.join(','), load: cores.load.join(',') } }),
  }
}

/** Ends the program where there is no /proc: CPU time and memory of other processes could not be read. */
export function requireLinux(): void {
  if (process.platform === 'linux') return
  process.stderr.write('The benchmark needs Linux: it reads the CPU and memory of processes from /proc\n')
  process.exit(1)
}
