import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const established = '01'

/** The inodes of the sockets that a process has open. */
function socketsOf(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`
  const targets = readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)]
    } catch {
      return []
    }
  })
  return new Set(targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []))
}

/** How many connections that came to this port of the loopback a process has. */
export function connectionsHeld(pid: number, port: number): number {
  const sockets = socketsOf(pid)
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  // proc(5): local address is field 2, the state 4, the inode 10.
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  return rows.filter((row) => row[1]?.endsWith(suffix) && row[3] === established && sockets.has(row[9] ?? '')).length
}

/** Stops a process for the moment, so that what it holds does not change. */
export function hold(pid: number): void {
  process.kill(pid, 'SIGSTOP')
  const isStopped = () => /^State:\s*T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  while (!isStopped());
}
