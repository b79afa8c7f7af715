// Room `reload`: a file, or one that it names, has changed: it is read again, and all of it is put in force, or nothing.
import type { ReloadNotice, ReloadReport } from '@fastify-balancer/admin-routes'
import { channel } from 'node:diagnostics_channel'
import { isDeepStrictEqual } from 'node:util'
import type { Configuration, Listener } from '../configuration/configuration.ts'
import { lineOf } from '../configuration/document/fault.ts'
import type { ConfigurationReading } from '../configuration/reading.ts'
import type { RunningServer } from '../server/running-server.ts'
import { accessPart } from './access-part.ts'
import { balancerPart, balancersPart } from './balancer-part.ts'
import { certificatePart } from './certificate-part.ts'
import { summaryOf } from './summary.ts'
import { fixedPart } from './fixed-part.ts'
import { levelPart } from './level-part.ts'
import { unchanged, type Part } from './part.ts'
import type { ReloadCause } from './reload-cause.ts'

/** For those who look on from outside: told of every reload that was not a dry run. */
const reloads = channel<unknown, ReloadNotice>('fastify-balancer:reload')

/** Told at most; a list may be long. */
const mostChanges = 1000

/** A reload that was looked at, and waits for a decision. */
export interface PreparedReload {
  /** What would come of it. */
  readonly report: ReloadReport
  /** Every file that the configuration depends on now. */
  readonly files: readonly string[]
  /** Puts it in force. It must not have faults. */
  commit(): void
  abandon(): void
}

/** Reads the file of a running server again, and changes what runs. One at a time. */
export class Reloader {
  readonly #server: RunningServer
  readonly #file: string
  /** What was read last and put in force, as the file has it. */
  #inForce: ConfigurationReading
  readonly #read: (text?: string) => Promise<ConfigurationReading>
  #last: Promise<unknown> = Promise.resolve()
  /** The last reload was refused: that the file is valid again is worth a line, even if nothing changes. */
  #isRefused = false

  /** `inForce` is what `server` was built from; `read` reads `file` again, or what it says if that is known. */
  constructor(
    server: RunningServer,
    file: string,
    inForce: ConfigurationReading,
    read: (text?: string) => Promise<ConfigurationReading>,
  ) {
    this.#server = server
    this.#file = file
    this.#inForce = inForce
    this.#read = read
  }

  /** Puts what the file says in force, at once or not at all. It throws nothing: what is wrong is in the report. */
  reload(cause: ReloadCause): Promise<ReloadReport> {
    const turn = this.#last.then(() =>
      cause.dryRun === true ? this.#reload(cause) : this.#server.reloading(() => this.#reload(cause)),
    )
    this.#last = turn.catch(() => {})
    return turn
  }

  async #reload(cause: ReloadCause): Promise<ReloadReport> {
    const prepared = await this.prepare(cause)
    const { report } = prepared
    if (report.faults.length > 0 || cause.dryRun === true) prepared.abandon()
    else prepared.commit()
    if (cause.dryRun !== true) this.#tell(cause, report)
    return report
  }

  /** Looks at what a reload would do; either is to be called of what it answers. */
  async prepare(cause: ReloadCause, text?: string): Promise<PreparedReload> {
    const reading = await this.#read(text)
    const { configuration, files } = reading
    if (configuration === undefined)
      return { report: reportOf(cause, reading.faults.map(lineOf), []), files, commit() {}, abandon() {} }
    const parts = await this.#parts(configuration, reading, cause)
    const faults = parts.flatMap(({ faults: all }) => all.map((fault) => lineOf(reading.placed(fault))))
    return {
      report: reportOf(cause, faults, parts),
      files,
      commit: () => {
        for (const part of parts) part.commit()
        this.#inForce = reading
        this.#server.configuration = runningOf(this.#server.configuration, configuration)
      },
      abandon: () => {
        for (const part of parts) part.abandon()
      },
    }
  }

  /** Tells those who listen to reloads in this process. */
  publish(notice: Omit<ReloadNotice, 'server'>): void {
    const { server } = this.#server.admin.app
    if (reloads.hasSubscribers) reloads.publish({ ...notice, server })
  }

  async #parts(wanted: Configuration, reading: ConfigurationReading, cause: ReloadCause): Promise<readonly Part[]> {
    const server = this.#server
    const { configuration: running, balancers } = server
    const listeners = server.listeners.map((one, position) => {
      const index = indexOfPlace(wanted.listen, one.listener, position)
      const listener = wanted.listen[index]
      // One that the file does not name any more stays as it is until the next start.
      if (listener === undefined) return unchanged
      return certificatePart(one, listener, `listen.${index}`, `/listen/${index}/tls`)
    })
    const { listen } = wanted.admin === false ? {} : wanted.admin
    const isApart = !server.listeners.includes(server.admin)
    const lists = wanted.balancers.map(async (one, index) => {
      const balancer = balancers.get(one.name ?? 'default')
      if (balancer === undefined || this.#isUntouched(index, reading, cause)) return []
      return [await balancerPart(balancer, one, index, cause.force === true)]
    })
    return [
      fixedPart(running, wanted),
      levelPart(server, running.log, wanted.log),
      ...listeners,
      ...(isApart && listen !== undefined
        ? [certificatePart(server.admin, listen, 'admin.listen', '/admin/listen/tls')]
        : []),
      accessPart(server.guard, wanted.admin),
      balancersPart(balancers, wanted.balancers),
      ...(await Promise.all(lists)).flat(),
    ]
  }

  /** A certificate that was renewed at night, or a worker that follows, must not undo what somebody has changed by hand. */
  #isUntouched(index: number, { text, configuration }: ConfigurationReading, cause: ReloadCause): boolean {
    const before = this.#inForce
    const isSameFile = cause.isAutomatic === true && text === before.text
    if (!isSameFile && cause.isRepeated !== true) return false
    return isDeepStrictEqual(configuration?.balancers[index], before.configuration?.balancers[index])
  }

  #tell({ who, isAutomatic = false }: ReloadCause, report: ReloadReport): void {
    const { applied, changes, cannot, summary } = report
    const wasRefused = this.#isRefused
    this.#isRefused = !applied
    // A file that was only touched needs no line.
    if (isAutomatic && applied && !wasRefused && changes.length + cannot.length === 0) return
    const level = applied ? (cannot.length > 0 ? 'warn' : 'info') : 'error'
    this.#server.log[level]({ reload: { file: this.#file, who, ...report } }, summary)
    this.publish({ report, who, at: Date.now() })
  }
}

function reportOf(cause: ReloadCause, faults: readonly string[], parts: readonly Part[]): ReloadReport {
  const { trigger, dryRun = false } = cause
  const changes = parts.flatMap((part) => part.changes)
  const cannot = parts.flatMap((part) => part.cannot)
  return {
    applied: faults.length === 0 && !dryRun,
    trigger,
    summary: summaryOf(cause, faults, changes, cannot),
    faults: [...faults],
    changes: changes.slice(0, mostChanges),
    cannot: cannot.slice(0, mostChanges),
  }
}

const placeOf = ({ port, host = '127.0.0.1', path }: Listener): string => path ?? `${host} ${port}`

/** Which of these listens where this one does, best at the same position (port 0 is a place of many); -1 if none does. */
function indexOfPlace(listeners: readonly Listener[], one: Listener, position: number): number {
  const isSame = (other: Listener | undefined) => other !== undefined && placeOf(other) === placeOf(one)
  return isSame(listeners[position]) ? position : listeners.findIndex(isSame)
}

/** What runs after a change: listeners and routes are those that it began with. */
function runningOf(before: Configuration, { balancers, admin, log }: Configuration): Configuration {
  const { token, basicAuth } = admin === false ? {} : admin
  return {
    ...before,
    balancers,
    admin:
      before.admin === false
        ? false
        : { ...before.admin, ...(token !== undefined && { token }), ...(basicAuth !== undefined && { basicAuth }) },
    log: { ...before.log, ...(log.level !== undefined && { level: log.level }) },
  }
}
