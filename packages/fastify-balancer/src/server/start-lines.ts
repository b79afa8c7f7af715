import { adminLine, listeningLine } from './announcement.ts'
import type { RunningServer } from './running-server.ts'

/** The lines that say where to find what stands around the balancers. */
export function aroundLines({ configuration, guard, admin: { address: at = '' } }: RunningServer): readonly string[] {
  const { admin, dashboard, metrics } = configuration
  // A Unix socket cannot be opened in a browser.
  if (!at.startsWith('http')) return []
  const { token, passwords } = guard?.access ?? {}
  const isOpen = token !== undefined || passwords !== undefined || (admin !== false && admin.insecure === true)
  const who = isOpen ? '' : ', for this machine only'
  return [
    ...(admin !== false && dashboard !== false ? [`the page is at ${at}${admin.prefix ?? '/_balancer'}/${who}`] : []),
    ...(metrics !== false ? [`metrics are at ${at}${metrics.path ?? '/metrics'}${who}`] : []),
  ]
}

/** Every line that a server that listens has to say of itself. */
export function startLines(server: RunningServer): readonly string[] {
  const { configuration, all, listeners } = server
  const opened = all.map((one) =>
    listeners.includes(one) ? listeningLine(configuration, one.address!) : adminLine(configuration, one.address!),
  )
  return [...opened, ...aroundLines(server)]
}
