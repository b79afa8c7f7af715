import type { Clock } from '@fastify-balancer/balancer-core'
import type { Reload, RestartReport } from '@fastify-balancer/admin-routes'
import { CommandError } from '../../command-error.ts'
import { Notifier } from '../../systemd/notifier.ts'
import type { Listening, Refusal } from '../channel/messages.ts'
import { ParentLog, type LogOptions } from './parent-log.ts'
import { ParentSupervision } from './parent-supervision.ts'
import { SocketFiles } from './socket-files.ts'
import type { Takeover } from './member.ts'
import { Workforce } from './workforce.ts'

const workersOf = (count: number, kind = '') => `${count} ${kind}worker${count === 1 ? '' : 's'}`

const clock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** What a parent runs. */
export interface ParentSettings {
  readonly count: number
  readonly log: LogOptions
  /** The text that workers begin with. */
  readonly text?: string
}

/** The parent of workers: signals, log and restarts. */
export class Parent {
  log: ParentLog
  readonly workforce: Workforce
  readonly #over = Promise.withResolvers<{ readonly exitCode: number; readonly refusal: Refusal | undefined }>()
  readonly #ready = Promise.withResolvers<Listening>()
  readonly #supervision: ParentSupervision | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isRestarting = false
  #isReady = false
  #lines: readonly string[] = []
  #count: number
  #logOptions: LogOptions

  private constructor({ count, text, log: logOptions }: ParentSettings, log: ParentLog) {
    this.log = log
    this.#logOptions = logOptions
    this.#count = count
    this.workforce = new Workforce(
      () => this.log,
      {
        allReady: (listening) => this.#begun(listening),
        over: (exitCode, refusal) => this.#over.resolve({ exitCode, refusal }),
      },
      clock,
    )
    const socketFiles = new SocketFiles()
    this.workforce.text = text
    this.workforce.answer = (channel) => {
      channel.answer('restart', ({ who }) => this.restart(who === undefined ? 'api' : `api, by ${who}`))
      channel.answer('reload', (order) => this.reload(order))
      channel.answer('clearSocket', async (path) => {
        const fault = await socketFiles.clear(path)
        return fault === undefined ? {} : { fault }
      })
    }
    const notifier = Notifier.of(process.env, (fault) => this.log.warn(fault))
    this.#supervision = notifier === undefined ? undefined : new ParentSupervision(this.workforce, notifier)
  }

  /** @throws CommandError when the log cannot be opened */
  static async open(settings: ParentSettings): Promise<Parent> {
    return new Parent(settings, await ParentLog.open(settings.log))
  }

  /** How many workers there are to be. */
  get count(): number {
    return this.#count
  }

  /** Reloads, where there is a file. */
  reload: Reload = async () => {
    throw new Error('there is no file to reload')
  }

  /** Resolves once all listen. */
  get ready(): Promise<Listening> {
    return this.#ready.promise
  }

  /**
   * Starts the workers, and resolves with the exit code once all have ended.
   * @throws CommandError when they cannot begin
   */
  async run(): Promise<number> {
    this.#obeySignals()
    this.log.info(`${this.#count} workers are starting`)
    this.workforce.begin(this.#count)
    const { exitCode, refusal } = await this.#over.promise
    if (refusal === undefined) return exitCode
    process.stderr.write(refusal.report)
    throw new CommandError(refusal.message, refusal.exitCode)
  }

  /** Does one thing after the other: a reload and a restart would get in each other's way. systemd is told, unless it only looks. */
  inTurn<Outcome>(work: () => Promise<Outcome>, isLook = false): Promise<Outcome> {
    const turn = this.#last.then(() => (isLook ? work() : this.#supervising(work)))
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Lets new workers take over, with what is in force, and tells what came of it. */
  async restart(cause: string): Promise<RestartReport> {
    if (this.#isRestarting) return this.#told(cause, this.#count, 'another restart is under way')
    this.#isRestarting = true
    try {
      const { fault } = await this.inTurn(() => this.replaceAll(cause))
      return this.#told(cause, this.#count, fault)
    } finally {
      this.#isRestarting = false
    }
  }

  /** Lets new workers take over, for whom something else is in force perhaps. Only in turn. */
  async replaceAll(cause: string, wanted: Partial<ParentSettings> = {}): Promise<Takeover> {
    const { text = this.workforce.text, count = this.#count, log } = wanted
    this.log.info(`rolling restart (${cause}): starting ${workersOf(count, 'new ')}`)
    const takeover = await this.workforce.restart(count, text)
    if (takeover.fault !== undefined) return takeover
    this.#count = count
    if (log !== undefined) await this.#useLog(log)
    this.#announce(takeover.listening!)
    return takeover
  }

  #told(cause: string, count: number, fault: string | undefined): RestartReport {
    const applied = fault === undefined
    const summary = applied
      ? `restarted (${cause}): ${workersOf(count, 'new ')} listen${count === 1 ? 's' : ''}, the old ones finish their requests`
      : `not restarted (${cause}), the old workers go on: ${fault}`
    this.log[applied ? 'info' : 'error'](summary)
    return { applied, summary, faults: applied ? [] : [fault] }
  }

  async #useLog(options: LogOptions): Promise<void> {
    this.log.level = options.level ?? 'info'
    if (options.form === this.#logOptions.form && options.file === this.#logOptions.file) return
    this.#logOptions = options
    this.log = await ParentLog.open(options)
    this.#reopenOnSignal()
  }

  async #supervising<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    // Until then, systemd is to wait.
    if (!this.#isReady) return work()
    this.#supervision?.reloading()
    try {
      return await work()
    } finally {
      if (!this.workforce.isStopping) this.#supervision?.ready()
    }
  }

  /** What was not said already. */
  #announce({ lines }: Listening): void {
    for (const line of lines) if (!this.#lines.includes(line)) this.log.info(line)
    this.#lines = lines
  }

  #begun(listening: Listening): void {
    this.#isReady = true
    this.#announce(listening)
    this.log.info(`${workersOf(this.#count)} ready`)
    this.#supervision?.ready()
    this.#ready.resolve(listening)
  }

  /** Gently at the first signal, at once at the second. */
  #stop(signal: string): void {
    if (this.workforce.isStopping) {
      this.workforce.stopNow()
      process.exit(1)
    }
    const { exchanges } = this.workforce.status
    this.log.info(`${signal}: stopping; requests and tunnels that may end first: ${exchanges}`)
    this.#supervision?.stopping()
    this.workforce.stop()
  }

  #obeySignals(): void {
    process.on('SIGTERM', (signal) => this.#stop(signal))
    process.on('SIGINT', (signal) => this.#stop(signal))
    process.on('SIGUSR2', () => void this.restart('SIGUSR2'))
    if (process.listenerCount('SIGHUP') === 0)
      process.on('SIGHUP', (signal) => {
        if (!this.workforce.isStopping) this.#stop(signal)
      })
    this.#reopenOnSignal()
  }

  #reopenOnSignal(): void {
    // Without a file, the signal keeps Node's meaning: it starts the inspector.
    if (this.log.hasFile && process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => this.#reopenLogs())
  }

  #reopenLogs(): void {
    this.workforce.reopenLogs()
    const fault = this.log.reopen()
    if (fault === undefined) this.log.info('SIGUSR1: the log file was reopened')
    else this.log.error(`SIGUSR1: the log file was not reopened, the one before is still written to: ${fault}`)
  }
}
