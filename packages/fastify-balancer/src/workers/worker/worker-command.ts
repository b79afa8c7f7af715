import type { Reload } from '@fastify-balancer/admin-routes'
import { CommandError } from '../../command-error.ts'
import { readArguments, type FileCommand } from '../../command/arguments.ts'
import type { AdminConfiguration, Configuration } from '../../configuration/configuration.ts'
import { lineOf } from '../../configuration/document/fault.ts'
import { Reloader, type PreparedReload } from '../../reload/reloader.ts'
import { readAgain, usableReading, type UsableReading } from '../../reload/serve-file.ts'
import type { ChannelToParent } from '../channel/channel.ts'
import { serveWorker, type Described } from './serve-worker.ts'
import { WorkerOfParent } from './worker.ts'

/** Adds what operators may order of the parent through the admin API. */
function withOrders(
  configuration: Configuration,
  orders: Pick<AdminConfiguration, 'reload' | 'restart'>,
): Configuration {
  const { admin } = configuration
  return admin === false ? configuration : { ...configuration, admin: { ...admin, ...orders } }
}

/** Reloads when the parent says so, with all others. */
function followParent(parent: ChannelToParent, reloader: Reloader): void {
  let prepared: PreparedReload | undefined
  let last: Promise<unknown> = Promise.resolve()
  // The parent does not wait for a worker that was blocked for a while: it may have several orders.
  const inTurn = <Outcome>(work: () => Promise<Outcome>): Promise<Outcome> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
  parent.answer('prepareReload', ({ text, cause }) =>
    inTurn(async () => {
      prepared?.abandon()
      prepared = undefined
      prepared = await reloader.prepare(cause, text)
      return { report: prepared.report, files: prepared.files }
    }),
  )
  parent.answer('endReload', ({ commit }) =>
    inTurn(async () => {
      if (commit) prepared?.commit()
      else prepared?.abandon()
      prepared = undefined
      return null
    }),
  )
  parent.hear('reloaded', (notice) => reloader.publish(notice))
}

/** Runs a command line as one of several workers. */
export async function workerCommand(argv: readonly string[], worker: WorkerOfParent): Promise<void> {
  const { text } = await worker.beginning
  let followed: { readonly command: FileCommand; readonly reading: UsableReading } | undefined
  const { parent } = worker
  const restart = (order: { readonly who: string | undefined }) => parent.ask('restart', order)
  const reload: Reload = (order) => parent.ask('reload', order)
  const server = await serveWorker(worker, async (report): Promise<Described> => {
    const command = readArguments(argv)
    if (command.kind === 'serve') {
      const { configuration, warnings } = command
      return { configuration: withOrders(configuration, { restart }), warnings, files: [] }
    }
    if (command.kind !== 'file') throw new CommandError('--workers: there is nothing to run', 2)
    const reading = await usableReading(command, report, text)
    followed = { command, reading }
    const { warnings, files } = reading
    const configuration = withOrders(reading.configuration, { restart, reload })
    return { configuration, warnings: warnings.map(lineOf), files }
  })
  if (server === undefined || followed === undefined) return
  const { command, reading } = followed
  followParent(parent, new Reloader(server, command.file, reading, (given) => readAgain(command, given)))
}
