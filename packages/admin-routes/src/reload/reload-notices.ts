import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { ReloadReport } from './reload-report.ts'

/** Message of the channel `fastify-balancer:reload`: every reload except dry runs. */
export interface ReloadNotice {
  readonly report: ReloadReport
  readonly who?: string | undefined
  /** In ms since the epoch. */
  readonly at: number
  /** The app's server, to tell apart several in one process. */
  readonly server?: unknown
}

const name = 'fastify-balancer:reload'

/** Calls `hear` for every reload of this app, until the returned function is called. An error that it throws is logged. */
export function hearReloads(app: FastifyInstance, hear: (notice: ReloadNotice) => void): () => void {
  const listener = (message: unknown) => {
    const notice = message as ReloadNotice
    if (notice.server !== undefined && notice.server !== app.server) return
    try {
      hear(notice)
    } catch (error) {
      app.log.error({ err: error }, 'a reload could not be sent as an event')
    }
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}
