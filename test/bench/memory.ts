import { readFileSync } from 'node:fs'

/** The memory of a process that is in RAM (RSS), in MiB. */
export function residentMemory(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))!
  return Number(kibibytes) / 1024
}
