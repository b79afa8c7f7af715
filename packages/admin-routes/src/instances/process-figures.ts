import { performance } from 'node:perf_hooks'
import process from 'node:process'
import type { InstanceView } from '../schemas/instance-views.ts'

const rounded = (share: number) => Math.round(share * 1000) / 1000

/** How busy this process has been since the last reading. */
export function processFigures(): () => InstanceView['process'] {
  let at = performance.now()
  let cpu = process.cpuUsage()
  let loop = performance.eventLoopUtilization()
  return () => {
    const now = performance.now()
    const { user, system } = process.cpuUsage(cpu)
    const { utilization } = performance.eventLoopUtilization(loop)
    const elapsed = (now - at) * 1000
    const { rss, heapUsed } = process.memoryUsage()
    at = now
    cpu = process.cpuUsage()
    loop = performance.eventLoopUtilization()
    const share = elapsed > 0 ? (user + system) / elapsed : 0
    return { pid: process.pid, cpu: rounded(share), rss, heapUsed, eventLoopUtilized: rounded(utilization) }
  }
}
