import type { FastifyBaseLogger } from 'fastify'
import { sharedBalancers, type Balancer } from '../index.ts'
import { CommandError } from '../command-error.ts'
import type { Configuration } from '../configuration/configuration.ts'
import type { AdminGuard } from '../guard/admin-guard.ts'
import { registerSwitchable } from '../plugin/switchable.ts'
import { shedRequestsOf, shedUnderPressure } from '../plugin/under-pressure.ts'
import { adminLine, listeningLine } from './announcement.ts'
import { administerGuarded, administrationUrls } from './guarded-administration.ts'
import { handOver } from './hand-over.ts'
import { leave } from './leaving.ts'
import { ListeningApp } from './listening-app.ts'
import type { LogFile } from './log-file.ts'
import { openLog } from './log.ts'
import { clearSocketFile } from './socket-file.ts'

/** Everything that a configuration describes, running: the same balancers behind every listener. */
export class RunningServer {
  /** What it runs. Set by a reload that has put another one in force. */
  configuration: Configuration
  /** Those that forward, in the order of the configuration. The first one's app has the balancers. */
  readonly listeners: readonly [ListeningApp, ...ListeningApp[]]
  /** The one with the admin API, the page and the metrics: one of its own, or the first of those that forward. */
  readonly admin: ListeningApp
  /** What the log is written to, unless it is standard output. */
  readonly logFile: LogFile | undefined
  readonly #onClose: (() => void)[] = []
  readonly #onReload: ((isOver: boolean) => void)[] = []
  #guard: AdminGuard | undefined
  #hasListened = false
  #closed: Promise<void> | undefined

  /** See `buildServer`. @throws CommandError */
  constructor(
    configuration: Configuration,
    open: (listener: Configuration['listen'][number]) => ListeningApp,
    logFile?: LogFile,
  ) {
    const { listen, admin } = configuration
    const [first, ...others] = listen.map(open)
    if (first === undefined) throw new CommandError('there is nothing to listen on: expected a listener at least', 2)
    this.configuration = configuration
    this.logFile = logFile
    this.listeners = [first, ...others]
    this.admin = admin === false || admin.listen === undefined ? first : open(admin.listen)
  }

  get balancers(): ReadonlyMap<string, Balancer> {
    return this.listeners[0].app.balancers
  }

  /** Who may use the admin API. */
  get guard(): AdminGuard | undefined {
    return this.#guard
  }

  get log(): FastifyBaseLogger {
    return this.listeners[0].app.log
  }

  /** Requests on their way through. */
  get exchanges(): number {
    let sum = 0
    for (const { exchanges } of this.balancers.values()) sum += exchanges
    return sum
  }

  /** Every listener, that of the admin API last. */
  get all(): readonly ListeningApp[] {
    return [...new Set([...this.listeners, this.admin])]
  }

  /** Registers everything; nothing listens yet. */
  async assemble(): Promise<void> {
    const { balancers, divideLimits, underPressure, admin, metrics } = this.configuration
    const fleet = divideLimits === undefined ? {} : { divideLimits }
    const [{ app: first }] = this.listeners
    const apps = this.all.map(({ app }) => app)
    // Whichever closes, e.g. by an order of the admin API, takes the others with it.
    for (const app of apps) app.addHook('preClose', async () => void this.close())
    // Before the routes, which its hook is for.
    if (underPressure !== false) {
      // One count, since they are one process: the admin API and the metrics tell of all that it sheds.
      const shed = shedRequestsOf(this.admin.app, underPressure)
      await Promise.all(apps.map((app) => shedUnderPressure(app, underPressure, shed)))
    }
    // oxlint-disable-next-line no-await-in-loop -- in the order of the configuration
    for (const options of balancers) await registerSwitchable(first, { ...options, fleet })
    await this.#share()
    if (admin !== false || metrics !== false) this.#guard = await administerGuarded(this.admin.app, this.configuration)
  }

  /** Lets all apps but the first forward with its balancers; the admin API is there once, and so handed over. */
  async #share(): Promise<void> {
    const [{ app: first }, ...others] = this.listeners
    const { app: administration } = this.admin
    const isApart = !this.listeners.includes(this.admin)
    const urls = administrationUrls(this.configuration)
    for (const { app } of others) {
      if (!isApart) void app.register(handOver, { to: administration, urls })
      void app.register(sharedBalancers, { of: first })
    }
    for (const { app } of this.all) if (!app.hasDecorator('fleet')) app.decorate('fleet', first.fleet)
    if (isApart) void administration.register(sharedBalancers, { of: first, routes: false })
    await Promise.all(this.all.map(({ app }) => app.after()))
  }

  /**
   * Begins to listen everywhere, once all backends have been probed: all listeners, or none. False if it was closed meanwhile.
   * `makeWay` removes what is left of a Unix socket there.
   * @throws CommandError naming the listener that cannot listen
   */
  async listen(makeWay = clearSocketFile): Promise<boolean> {
    const { all, configuration } = this
    try {
      await Promise.all(all.map(({ app }) => app.ready()))
      for (const one of all) {
        const forwards = this.listeners.includes(one)
        const line = (address: string) =>
          forwards ? listeningLine(configuration, address) : adminLine(configuration, address)
        // oxlint-disable-next-line no-await-in-loop -- the first that cannot listen is named
        await one.listen(line, makeWay)
      }
      this.#hasListened = true
      return true
    } catch (error) {
      if (this.#closed !== undefined) return false
      await this.close()
      throw error
    }
  }

  /** See `ListeningApp.useTicketKey`. */
  useTicketKey(key: Buffer): void {
    for (const one of this.all) one.useTicketKey(key)
  }

  /** Calls this when it begins to close. */
  onClose(listener: () => void): void {
    this.#onClose.push(listener)
  }

  /** Calls this when a reload begins, and when it is over. */
  onReload(listener: (isOver: boolean) => void): void {
    this.#onReload.push(listener)
  }

  /** Tells those who want to know while this reloads. */
  async reloading<Report>(reload: () => Promise<Report>): Promise<Report> {
    for (const listener of this.#onReload) listener(false)
    try {
      return await reload()
    } finally {
      // While it closes, it is not ready any more.
      if (this.#closed === undefined) for (const listener of this.#onReload) listener(true)
    }
  }

  /**
   * Lets its clients go without a reset, then closes; see `leave`. Unless there are successors, the admin API goes on until
   * that is done, where it has a listener of its own.
   */
  async leave(hasSuccessors: boolean, othersStop?: () => Promise<unknown>): Promise<void> {
    this.#tellOfClosing()
    const leaving = hasSuccessors ? this.all : this.listeners
    if (this.#hasListened)
      await leave(
        leaving.flatMap(({ servers }) => servers),
        [...this.balancers.values()],
        othersStop,
      )
    await this.close()
  }

  /** Lets everything that is under way finish, then closes; the admin API goes on until that is done. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  #tellOfClosing(): void {
    for (const listener of this.#onClose.splice(0)) listener()
  }

  async #close(): Promise<void> {
    this.#tellOfClosing()
    const closing = await Promise.allSettled(this.listeners.map(({ app }) => app.close()))
    closing.push(...(await Promise.allSettled([this.admin.app.close()])))
    for (const one of closing)
      if (one.status === 'rejected')
        this.log.error({ err: one.reason as unknown }, 'a listener did not close as it should')
  }
}

/** What a plugin refuses to start with is for the operator to mend: a line, and no stack. */
function asCommandError(error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message: string }
  return typeof code === 'string' && code.startsWith('FST_') ? new CommandError(message, 2) : error
}

/**
 * Builds a server that runs a configuration once it listens; `open` opens its log, and ids of requests begin with `requestId`.
 * @throws CommandError naming what cannot be used
 */
export async function buildServer(
  configuration: Configuration,
  open = openLog,
  requestId = 'req-',
): Promise<RunningServer> {
  const { logger, file } = await open(configuration.log)
  let requests = 0
  // One count for all apps, so that an id in the log means one request.
  const genReqId = () => requestId + (++requests).toString(36)
  const server = new RunningServer(configuration, (listener) => new ListeningApp(listener, logger, genReqId), file)
  try {
    await server.assemble()
    return server
  } catch (error) {
    await server.close()
    throw asCommandError(error)
  }
}
