// Room `server`: runs what a command line or a file describes: listeners, log, signals.
import type { Configuration } from '../configuration/configuration.ts'
import { probingLine } from './announcement.ts'
import { isForPeople } from './log.ts'
import { Notifier } from '../systemd/notifier.ts'
import { buildServer, type RunningServer } from './running-server.ts'
import { aroundLines } from './start-lines.ts'
import { Supervision } from './supervision.ts'

/** Stops gently at the first signal, and at once at the second. */
function stopOnSignals(server: RunningServer): void {
  let stopping = false
  function stop(signal: string): void {
    if (stopping) process.exit(1)
    stopping = true
    server.log.info(`${signal}: stopping; requests and tunnels that may end first: ${server.exchanges}`)
    void server.leave(false)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Where it does not mean a reload, its terminal was closed. It may come right after another one (systemd's `SendSIGHUP`).
  if (process.listenerCount('SIGHUP') === 0)
    process.on('SIGHUP', () => {
      if (!stopping) stop('SIGHUP')
    })
}

/** As in nginx: the file of the log is renamed, and then comes SIGUSR1. */
function reopenOnSignal({ logFile, log }: RunningServer): void {
  // Without a file, the signal keeps Node's meaning: it starts the inspector.
  if (logFile === undefined) return
  process.on('SIGUSR1', () => {
    const fault = logFile.reopen()
    if (fault === undefined) log.info('SIGUSR1: the log file was reopened')
    else log.error(`SIGUSR1: the log file was not reopened, the one before is still written to: ${fault}`)
  })
}

/**
 * Balances until a signal stops it. `warnings` are told in its log.
 * @throws CommandError when it cannot begin
 */
export async function serve(configuration: Configuration, warnings: readonly string[] = []): Promise<RunningServer> {
  const server = await buildServer(configuration)
  stopOnSignals(server)
  reopenOnSignal(server)
  for (const warning of warnings) server.log.warn(warning)
  const probing = probingLine(configuration)
  // A person who waits wants to know what for.
  if (probing !== undefined && isForPeople(configuration.log)) server.log.info(probing)
  const notifier = Notifier.of(process.env, (fault) => server.log.warn(fault))
  const supervision = notifier === undefined ? undefined : new Supervision(server, notifier)
  if (await server.listen()) {
    for (const line of aroundLines(server)) server.log.info(line)
    supervision?.ready()
  }
  return server
}
