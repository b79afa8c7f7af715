import type { ReloadReport } from '@fastify-balancer/admin-routes'
import { textOf } from '../../configuration/document/text-file.ts'
import type { ToldChange } from '../../reload/part.ts'
import type { ReloadCause } from '../../reload/reload-cause.ts'
import { summaryOf } from '../../reload/summary.ts'
import type { ChannelToWorker } from '../channel/channel.ts'
import type { ProposedReload } from '../channel/messages.ts'
import { wantedByText, type GivenValues } from './wanted.ts'
import type { Parent } from './parent.ts'

/** So long it is waited for a worker that could be asked (ms). */
const patience = 30_000

/** A worker with what a reload would do there. */
interface Proposal extends ProposedReload {
  readonly channel: ChannelToWorker
}

/** Reloads the file of all workers: in place, or by a rolling restart where that cannot be. One at a time. */
export class ParentReload {
  readonly #parent: Parent
  readonly #file: string
  readonly #given: GivenValues
  /** Told of every file that the configuration depends on. */
  readonly #onFiles: (files: readonly string[], isUsable: boolean) => Promise<void>
  #isRefused = false

  constructor(
    parent: Parent,
    file: string,
    given: GivenValues,
    onFiles: (files: readonly string[], isUsable: boolean) => Promise<void>,
  ) {
    this.#parent = parent
    this.#file = file
    this.#given = given
    this.#onFiles = onFiles
  }

  /** Puts what the file says in force in all workers, or in none. It throws nothing: what is wrong is in the report. */
  reload(cause: ReloadCause): Promise<ReloadReport> {
    return this.#parent.inTurn(() => this.#reload(cause), cause.dryRun)
  }

  /** A worker that began before a reload, or did not answer, has the same in force as the others from now on. */
  async bringUpToDate(channel: ChannelToWorker): Promise<void> {
    return this.#parent.inTurn(async () => {
      const { workforce } = this.#parent
      const { text } = workforce
      if (text === undefined) return
      const { report } = await channel.ask('prepareReload', { text, cause: { trigger: 'start', isRepeated: true } })
      const commit = report.faults.length === 0
      await channel.ask('endReload', { commit })
      if (commit) workforce.put(text, [channel])
      else this.#parent.log.error(`a worker has not got what is in force: ${report.faults.join('; ')}`)
    }, true)
  }

  async #reload(cause: ReloadCause): Promise<ReloadReport> {
    const read = await textOf(this.#file)
    if ('fault' in read) return this.#tell(cause, [], refused(cause, `${this.#file}: ${read.fault}`))
    const { text } = read
    const proposals = await this.#ask(cause, text)
    // A worker that has faults is asked before one that has none.
    const [first] = proposals.toSorted((a, b) => b.report.faults.length - a.report.faults.length)
    if (first === undefined) return this.#tell(cause, [], refused(cause, 'no worker answers'))
    const { report, files } = first
    await this.#onFiles(files, report.faults.length === 0)
    if (report.faults.length > 0) return this.#leave(cause, proposals, report)
    if (report.cannot.length > 0) return this.#restart(cause, proposals, text)
    if (cause.dryRun === true) return this.#leave(cause, proposals, report)
    this.#parent.log.level = wantedByText(this.#file, text, this.#given).log.level ?? 'info'
    return this.#commit(cause, proposals, text, report)
  }

  async #commit(
    cause: ReloadCause,
    proposals: readonly Proposal[],
    text: string,
    report: ReloadReport,
  ): Promise<ReloadReport> {
    const { workforce } = this.#parent
    // Those that start from now on begin with it.
    workforce.text = text
    workforce.put(text, await this.#decide(proposals, true))
    const behind = workforce.behind.map((name) => `; ${name} follows once it answers`)
    return this.#tell(cause, proposals, { ...report, summary: report.summary + behind.join('') })
  }

  /** What it would do, of all workers that answer. Where none does, e.g. since all have just died, the next one is waited for. */
  async #ask(cause: ReloadCause, text: string): Promise<readonly Proposal[]> {
    await this.#parent.workforce.oneAnswers(patience)
    const asked = this.#parent.workforce.channels.map(async (channel): Promise<Proposal> => {
      return { channel, ...(await channel.ask('prepareReload', { text, cause })) }
    })
    const answers = await Promise.allSettled(asked)
    return answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  async #restart(cause: ReloadCause, proposals: readonly Proposal[], text: string): Promise<ReloadReport> {
    const [{ report }] = proposals as [Proposal]
    const changes = [
      ...report.changes,
      ...report.cannot.map(({ option, from, to }) => ({ option, from, to })),
    ] as ToldChange[]
    const isDry = cause.dryRun === true
    const byRestart = {
      ...report,
      applied: !isDry,
      summary: summaryOf(cause, [], changes, [], true),
      changes,
      cannot: [],
    }
    await this.#decide(proposals, false)
    if (isDry) return byRestart
    const { count, log } = wantedByText(this.#file, text, this.#given)
    const { fault, listening } = await this.#parent.replaceAll(cause.trigger, { text, count, log })
    if (fault !== undefined) return this.#tell(cause, proposals, refused(cause, fault))
    await this.#override(cause, text)
    await this.#onFiles(listening?.files ?? [], true)
    return this.#tell(cause, [], byRestart)
  }

  /** New workers begin with what was changed through the admin API: the file goes before that, as in place. */
  async #override(cause: ReloadCause, text: string): Promise<void> {
    const proposals = await this.#ask({ ...cause, isAutomatic: false }, text)
    await this.#decide(
      proposals,
      proposals.every(({ report }) => report.faults.length === 0),
    )
  }

  /** What is in force stays. */
  async #leave(cause: ReloadCause, proposals: readonly Proposal[], report: ReloadReport): Promise<ReloadReport> {
    await this.#decide(proposals, false)
    return this.#tell(cause, proposals, report)
  }

  /** Answers those that have done so. */
  async #decide(proposals: readonly Proposal[], commit: boolean): Promise<readonly ChannelToWorker[]> {
    const asked = proposals.map(async ({ channel }) => {
      await channel.ask('endReload', { commit })
      return channel
    })
    const answers = await Promise.allSettled(asked)
    return answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  /** In the log, once for all, and to those who listen to reloads in one of the workers. */
  #tell(cause: ReloadCause, proposals: readonly Proposal[], report: ReloadReport): ReloadReport {
    const { who, dryRun = false, isAutomatic = false } = cause
    if (dryRun) return report
    const wasRefused = this.#isRefused
    this.#isRefused = !report.applied
    // A file that was only touched needs no line.
    if (isAutomatic && report.applied && !wasRefused && report.changes.length === 0) return report
    const level = report.applied ? 'info' : 'error'
    this.#parent.log[level](report.summary, { reload: { file: this.#file, who, ...report } })
    const channel = proposals[0]?.channel ?? this.#parent.workforce.channels[0]
    void channel?.tell('reloaded', { report, who, at: Date.now() })
    return report
  }
}

function refused(cause: ReloadCause, ...faults: readonly string[]): ReloadReport {
  const { trigger } = cause
  const summary = summaryOf(cause, faults, [], [])
  return { applied: false, trigger, summary, faults: [...faults], changes: [], cannot: [] }
}
