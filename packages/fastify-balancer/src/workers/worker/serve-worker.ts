import { CommandError } from '../../command-error.ts'
import type { Configuration } from '../../configuration/configuration.ts'
import { drainDeadlineOf, statusOf } from '../../server/balancers-status.ts'
import { buildServer, type RunningServer } from '../../server/running-server.ts'
import { startLines } from '../../server/start-lines.ts'
import type { Refusal } from '../channel/messages.ts'
import { QuietLog } from './quiet-log.ts'
import type { WorkerOfParent } from './worker.ts'

/** What a worker of the command is to run. */
export interface Described {
  readonly configuration: Configuration
  readonly warnings: readonly string[]
  /** Every file that it depends on. */
  readonly files: readonly string[]
}

/**
 * Balances until the parent ends it. Undefined if it was ended before it listened.
 * @throws CommandError when it cannot begin
 */
async function serve(
  worker: WorkerOfParent,
  { configuration, warnings, files }: Described,
): Promise<RunningServer | undefined> {
  const { isFirst, wanted, ticketKey } = await worker.beginning
  const log = new QuietLog(isFirst)
  // All write to one log: an id is to mean one request there, too.
  const server = await buildServer(configuration, log.open, `req-${process.pid}-`)
  server.listeners[0].app.fleet?.tell('wanted', () => wanted)
  worker.serve({
    get status() {
      return statusOf(server.balancers.values())
    },
    close: (hasSuccessors, othersStop) => server.leave(hasSuccessors, othersStop),
    takeOver: async () => server.listeners[0].app.fleet?.takeOver(),
  })
  server.useTicketKey(Buffer.from(ticketKey, 'base64'))
  worker.parent.hear('useTicketKey', (key) => server.useTicketKey(Buffer.from(key, 'base64')))
  worker.parent.hear('reopenLog', () => void server.logFile?.reopen())
  for (const warning of warnings) server.log.warn(warning)
  const makeWay = async (path: string) => {
    const { fault } = await worker.parent.ask('clearSocket', path)
    if (fault !== undefined) throw new CommandError(fault, 1)
  }
  if (!(await server.listen(makeWay))) return undefined
  await log.speak()
  const drainDeadline = drainDeadlineOf(server.balancers.values())
  await worker.parent.tell('listening', { lines: startLines(server), files, drainDeadline })
  return server
}

/** Runs what `describe` answers as a worker; what is wrong with it is told to the parent, which says it once. */
export async function serveWorker(
  worker: WorkerOfParent,
  describe: (report: (text: string) => void) => Promise<Described>,
): Promise<RunningServer | undefined> {
  let report = ''
  try {
    return await serve(worker, await describe((text) => (report += text)))
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const refusal: Refusal = { message: error.message, exitCode: error.exitCode, report }
    await worker.parent.tell('refused', refusal)
    return process.exit(error.exitCode)
  }
}
