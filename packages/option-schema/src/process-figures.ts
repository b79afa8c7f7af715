import { performance } from 'node:perf_hooks'
import process from 'node:process'

/** How busy this process is, and how much memory it has. */
interface ProcessFigures {
  readonly pid: number
  /** Time on a core since the last reading, as a share of one core: 0.5 = half of it. */
  readonly cpu: number
  /** Share of the time since the last reading in which the event loop was busy (0–1). */
  readonly eventLoopUtilized: number
  /** In bytes. */
  readonly rss: number
  readonly heapUsed: number
}

const rounded = (share: number) => Math.round(share * 1000) / 1000

/** Reads how busy this process was since the last reading. */
export function processFigures(): () => ProcessFigures {
  let at = performance.now()
  let cpu = process.cpuUsage()
  let loop = performance.eventLoopUtilization()
  return () => {
    const now = performance.now()
    const { user, system } = process.cpuUsage(cpu)
    const { utilization } = performance.eventLoopUtilization(loop)
    const elapsed = (now - at) * 1000
    at = now
    cpu = process.cpuUsage()
    loop = performance.eventLoopUtilization()
    const { rss, heapUsed } = process.memoryUsage()
    return {
      pid: process.pid,
      cpu: rounded(elapsed > 0 ? (user + system) / elapsed : 0),
      eventLoopUtilized: rounded(utilization),
      rss,
      heapUsed,
    }
  }
}
