import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { ReloadReport } from './reload-report.ts'

/** What is told on `fastify-balancer:reload`, of every reload that was not a dry run. */
export interface ReloadNotice {
  readonly report: ReloadReport
  readonly who?: string | undefined
  /** In ms since the epoch. */
  readonly at: number
  /** The app's server, so that several in one process are told apart. */
  readonly server?: unknown
}

const name = 'fastify-balancer:reload'

/** Calls `hear` for every reload of this app, until the answer is called. An error that it throws is logged. */
export function hearReloads(app: FastifyInstance, hear: (notice: ReloadNotice) => void): () => void {
  const listener = (message: unknown) => {
    const notice = message as ReloadNotice
    if (notice.server !== undefined && notice.server !== app.server) return
    try {
      hear(notice)
    } catch (error) {
      app.log.error({ err: error }, 'a reload could not be told')
    }
  }
  subscribe(name, listener)
  return () => void unsubscribe(name, listener)
}
