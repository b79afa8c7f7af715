import type { Reload } from '@fastify-balancer/admin-routes'
import { basename } from 'node:path'
import { CommandError } from '../command-error.ts'
import type { Configuration, LogForm } from '../configuration/configuration.ts'
import { faultReport } from '../configuration/document/fault-report.ts'
import { lineOf } from '../configuration/document/fault.ts'
import { readConfiguration, type ConfigurationReading } from '../configuration/reading.ts'
import type { RunningServer } from '../server/running-server.ts'
import { serve } from '../server/serve.ts'
import { FileWatch } from './file-watch.ts'
import { Reloader } from './reloader.ts'

/** What the command line says of the log goes before what the file says. */
async function read(file: string, log: LogForm | undefined): Promise<ConfigurationReading> {
  const reading = await readConfiguration(file)
  const { configuration } = reading
  if (configuration === undefined || log === undefined) return reading
  return { ...reading, configuration: { ...configuration, log: { ...configuration.log, form: log } } }
}

/** With the admin route that reloads. */
function reloadable(configuration: Configuration, reload: Reload): Configuration {
  const { admin } = configuration
  return admin === false ? configuration : { ...configuration, admin: { ...admin, reload } }
}

/** A file that is followed while what it describes runs. */
class FollowedFile {
  readonly #file: string
  readonly #log: LogForm | undefined
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

  constructor(file: string, log: LogForm | undefined, watch: FileWatch, files: readonly string[]) {
    this.#file = file
    this.#log = log
    this.#watch = watch
    this.#files = files
    process.on('SIGHUP', this.#onSignal)
  }

  /** For the admin API, which may be asked a moment before everything runs. */
  readonly reload: Reload = async (order) => (await this.#ready.promise).reload({ ...order, trigger: 'api' })

  /** Reloads whenever there is a reason to, until the server closes. */
  async follow(server: RunningServer, reading: ConfigurationReading): Promise<void> {
    const reloader = new Reloader(server, this.#file, reading, () => this.#readAgain())
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
    const reading = await read(this.#file, this.#log)
    // As long as something is wrong, it may be in a file that was named at the beginning.
    const isUsable = reading.configuration !== undefined
    await this.#watch.follow(isUsable ? reading.files : [...new Set([...reading.files, ...this.#files])])
    return reading
  }
}

/**
 * Runs what a file describes until a signal stops it, and follows it: it is read again on SIGHUP, by `POST /reload`, and
 * whenever it changes or a file that it names. `log`, if given, goes before the form of the log that the file has.
 * @throws CommandError when it cannot begin; what is wrong with the file has been written to `report` then
 */
export async function serveFile(
  file: string,
  log: LogForm | undefined,
  report: (text: string) => void,
): Promise<RunningServer> {
  const reading = await read(file, log)
  const { configuration, faults, files, text, warnings } = reading
  if (configuration === undefined) {
    const style = { excerpts: process.stderr.isTTY, colors: process.stderr.isTTY }
    report(`${faultReport(faults, text, style)}\n`)
    throw new CommandError(`${file} cannot be used: ${faults.length === 1 ? '1 fault' : `${faults.length} faults`}`, 2)
  }
  const followed = new FollowedFile(file, log, await FileWatch.open(files), files)
  try {
    const server = await serve(reloadable(configuration, followed.reload), warnings.map(lineOf))
    await followed.follow(server, reading)
    return server
  } catch (error) {
    followed.stop()
    throw error
  }
}
