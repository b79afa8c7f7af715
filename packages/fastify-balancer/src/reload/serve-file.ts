import type { Reload } from '@fastify-balancer/admin-routes'
import { basename } from 'node:path'
import { CommandError } from '../command-error.ts'
import type { FileCommand } from '../command/arguments.ts'
import type { Configuration } from '../configuration/configuration.ts'
import { faultReport } from '../configuration/document/fault-report.ts'
import { lineOf } from '../configuration/document/fault.ts'
import { readConfiguration, type ConfigurationReading } from '../configuration/reading.ts'
import type { RunningServer } from '../server/running-server.ts'
import { serve } from '../server/serve.ts'
import { FileWatch } from './file-watch.ts'
import { Reloader } from './reloader.ts'

/** Reads the file of a command, or `text`, if what it says is known. What the command says goes before what the file says. */
export async function readAgain({ file, log, workers }: FileCommand, text?: string): Promise<ConfigurationReading> {
  const reading = await readConfiguration(file, process.env, Date.now(), text)
  const { configuration } = reading
  if (configuration === undefined) return reading
  const given = { ...configuration.log, ...(log !== undefined && { form: log }) }
  return { ...reading, configuration: { ...configuration, ...(workers !== undefined && { workers }), log: given } }
}

/** What was read of a file that nothing is wrong with. */
export type UsableReading = ConfigurationReading & { readonly configuration: Configuration }

/**
 * Reads the file that a command names, or `text`, if what it says is known.
 * @throws CommandError when it cannot be used; what is wrong with it has been written to `report` then
 */
export async function usableReading(
  command: FileCommand,
  report: (text: string) => void,
  given?: string,
): Promise<UsableReading> {
  const reading = await readAgain(command, given)
  const { configuration, faults, text } = reading
  if (configuration !== undefined) return { ...reading, configuration }
  const style = { excerpts: process.stderr.isTTY, colors: process.stderr.isTTY }
  report(`${faultReport(faults, text, style)}\n`)
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  throw new CommandError(`${command.file} cannot be used: ${count}`, 2)
}

/** With the admin route that reloads. */
function reloadable(configuration: Configuration, reload: Reload): Configuration {
  const { admin } = configuration
  return admin === false ? configuration : { ...configuration, admin: { ...admin, reload } }
}

/** A file that is followed while what it describes runs. */
class FollowedFile {
  readonly #command: FileCommand
  readonly #watch: FileWatch
  readonly #files: readonly string[]
  readonly #ready = Promise.withResolvers<Reloader>()
  #reloader: Reloader | undefined
  /** A signal came while the server was still starting. */
  #isDue = false
  #isStopped = false
  readonly #onSignal = () => {
    // Without a listener, the signal would end the process, and the requests that are still in flight.
    if (this.#isStopped) return
    if (this.#reloader === undefined) this.#isDue = true
    else void this.#reloader.reload({ trigger: 'SIGHUP' })
  }

  constructor(command: FileCommand, watch: FileWatch, files: readonly string[]) {
    this.#command = command
    this.#watch = watch
    this.#files = files
    process.on('SIGHUP', this.#onSignal)
  }

  /** For the admin API, which may be asked a moment before everything runs. */
  readonly reload: Reload = async (order) => (await this.#ready.promise).reload({ ...order, trigger: 'api' })

  /** Reloads whenever there is a reason to, until the server closes. */
  async follow(server: RunningServer, reading: ConfigurationReading): Promise<void> {
    const reloader = new Reloader(server, this.#command.file, reading, () => this.#readAgain())
    this.#reloader = reloader
    this.#ready.resolve(reloader)
    server.onClose(() => this.stop())
    if (this.#isDue) this.#onSignal()
    await this.#watch.start((changed) => {
      const trigger = `${changed.map((one) => basename(one)).join(', ')} changed`
      void reloader.reload({ trigger, isAutomatic: true })
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#watch.close()
  }

  async #readAgain(): Promise<ConfigurationReading> {
    const reading = await readAgain(this.#command)
    // As long as something is wrong, it may be in a file that was named at the beginning.
    const isUsable = reading.configuration !== undefined
    await this.#watch.follow(isUsable ? reading.files : [...new Set([...reading.files, ...this.#files])])
    return reading
  }
}

/**
 * Runs what a file describes until a signal stops it, and follows it: it is read again on SIGHUP, by `POST /reload`, and
 * whenever it changes or a file that it names. What the command says goes before what the file has.
 * @throws CommandError when it cannot begin; what is wrong with the file has been written to `report` then
 */
export async function serveFile(command: FileCommand, report: (text: string) => void): Promise<RunningServer> {
  const reading = await usableReading(command, report)
  const { configuration, files, warnings } = reading
  const followed = new FollowedFile(command, await FileWatch.open(files), files)
  try {
    const server = await serve(reloadable(configuration, followed.reload), warnings.map(lineOf))
    await followed.follow(server, reading)
    return server
  } catch (error) {
    followed.stop()
    throw error
  }
}
