import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/** Seconds of CPU that a process has used so far, with all its threads and all processes that it started (nginx's workers). */
export function cpuTime(pid: number): number {
  return descendants(pid).reduce((sum, each) => sum + ownTime(each), 0)
}

/** Seconds of CPU that the whole machine has used so far, without what its kernel did in interrupts. */
export function machineTime(): number {
  return machineTimeIn(readFileSync('/proc/stat', 'latin1'))
}

/** proc(5): of the line `cpu`, fields 1 to 3 are user, nice and system, 8 is what other virtual machines took. */
export function machineTimeIn(stat: string): number {
  const [, user, nice, system, , , , , stolen] = stat.slice(0, stat.indexOf('\n')).split(/ +/).map(Number)
  return (user! + nice! + system! + stolen!) / ticksPerSecond
}

/** proc(5): utime and stime are fields 14 and 15; the name in parentheses, field 2, may hold anything. */
function ownTime(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(afterName[11]) + Number(afterName[12])) / ticksPerSecond
}

/** A process, and all that it has started. */
export function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => descendants(Number(child)))]
}
