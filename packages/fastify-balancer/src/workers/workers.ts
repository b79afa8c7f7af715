// Room `workers`: one program in several processes: a parent that starts and keeps them, and workers that serve.
import type { Restart } from '@fastify-balancer/admin-routes'
import type { FastifyInstance } from 'fastify'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import { countOf, type Workers } from '../values/worker-count.ts'
import { drainDeadlineOf, statusOf } from '../server/balancers-status.ts'
import { leave } from '../server/leaving.ts'
import { takeWorkerEnvironment } from './channel/environment.ts'
import type { LogOptions } from './parent/parent-log.ts'
import { WorkerOfParent } from './worker/worker.ts'

export type { LogOptions, Workers }

/** How a program of one's own runs in several processes. */
export interface WorkersOptions {
  /** How many; `auto`, the default, is one for each core. With 1, there is no parent: this process does it. */
  readonly count?: Workers
  /** The log of the parent; by default, lines for people on a terminal, else JSON. */
  readonly log?: LogOptions
}

/** What a worker is started with. */
export interface WorkerParts {
  /** Replaces all workers: for `admin: { restart }`. It refuses where there is no parent. */
  readonly restart: Restart
}

/** Builds an app, lets it listen, and answers it. */
export type StartWorker = (parts: WorkerParts) => Promise<FastifyInstance>

const noParent = {
  applied: false,
  summary: 'not restarted: there is one process only',
  faults: ['there is one process only'],
}

/** As many apps have it: the balancers may have deadlines of their own. */
const usualDeadline = 30_000

const balancersOf = (app: FastifyInstance) => (app.hasDecorator('balancers') ? [...app.balancers.values()] : [])

function serversOf(app: FastifyInstance): readonly Server[] {
  return app.hasDecorator('balancerServers') ? [...app.balancerServers] : [app.server]
}

/** A Unix socket has a path only. */
function addressesOf(app: FastifyInstance): readonly string[] {
  const all = app.addresses() as readonly (AddressInfo | string)[]
  return all.map((one) => {
    if (typeof one === 'string') return one
    return one.family === 'IPv6' ? `[${one.address}]:${one.port}` : `${one.address}:${one.port}`
  })
}

function useTicketKey(app: FastifyInstance, key: string): void {
  for (const server of serversOf(app))
    if ('setTicketKeys' in server) (server as unknown as TlsServer).setTicketKeys(Buffer.from(key, 'base64'))
}

async function work(start: StartWorker): Promise<FastifyInstance> {
  const worker = new WorkerOfParent()
  const { wanted, ticketKey } = await worker.beginning
  let app: FastifyInstance
  try {
    app = await start({ restart: (order) => worker.parent.ask('restart', order) })
  } catch (error) {
    // Told once, by the parent, instead of by each worker.
    const { stack = '', message } = error as Error
    await worker.parent.tell('refused', { message, exitCode: 1, report: `${stack}\n` })
    process.exit(1)
  }
  const fleet = app.hasDecorator('fleet') ? app.fleet : undefined
  fleet?.tell('wanted', () => wanted)
  useTicketKey(app, ticketKey)
  worker.parent.hear('useTicketKey', (key) => useTicketKey(app, key))
  worker.serve({
    get status() {
      return statusOf(balancersOf(app))
    },
    async close(_hasSuccessors, othersStop) {
      await leave(serversOf(app), balancersOf(app), othersStop)
      await app.close()
    },
    takeOver: async () => fleet?.takeOver(),
  })
  const drainDeadline = drainDeadlineOf(balancersOf(app), usualDeadline)
  const lines = [`listening at ${addressesOf(app).join(', ')}`]
  await worker.parent.tell('listening', { lines, files: [], drainDeadline })
  return app
}

async function alone(start: StartWorker): Promise<FastifyInstance> {
  const app = await start({ restart: async () => noParent })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void app.close())
  return app
}

async function supervise(count: number, log: LogOptions): Promise<void> {
  const { Parent } = await import('./parent/parent.ts')
  const parent = await Parent.open({ count, log })
  const end = parent.run().then(
    (exitCode) => process.exit(exitCode),
    () => process.exit(1),
  )
  await Promise.race([parent.ready, end])
}

/**
 * Runs this program in several processes, which share its ports. This process becomes the parent of as many more that run the
 * same program: in them, `start` is called, which builds an app, lets it listen, and answers it. The parent replaces those
 * that die. SIGTERM and SIGINT let all finish what they have; SIGUSR2 and `restart` replace them one generation by the next,
 * and fail no request. The balancers of all act as one.
 *
 * Call it before anything else that only one process should do: everything before it is done by each. It resolves once all
 * listen: in the parent with undefined, in a worker with its app.
 */
export async function workers(
  start: StartWorker,
  { count = 'auto', log = {} }: WorkersOptions = {},
): Promise<FastifyInstance | undefined> {
  if (takeWorkerEnvironment()) return work(start)
  const processes = countOf(count)
  if (processes === 1) return alone(start)
  await supervise(processes, log)
  return undefined
}
