import { setImmediate } from 'node:timers/promises'
import type { Configuration } from '../../configuration/configuration.ts'
import { openLog, type Log } from '../../server/log.ts'

/** As pino writes them. */
const levels = { warn: 40, error: 50 } as const

/** A log that leaves out most lines, until `speak` is called: workers that start would all say the same. */
export class QuietLog {
  readonly #isFirst: boolean
  #isQuiet = true

  /** The first worker says what warns, and what the limit of requests is; the others say what is an error. */
  constructor(isFirst: boolean) {
    this.#isFirst = isFirst
  }

  /** Opens a log, as `openLog` does. */
  readonly open = async (options: Configuration['log']): Promise<Log> => {
    const { logger, file } = await openLog(options)
    if (logger === false) return { logger, file }
    const { level, stream } = logger
    const write = (line: string) => {
      if (!this.#isQuiet || this.#passes(line)) stream.write(line)
    }
    return { logger: { level, stream: { write } }, file }
  }

  /** Soon every line is written: plugins are told right after it listens. */
  async speak(): Promise<void> {
    await setImmediate()
    this.#isQuiet = false
  }

  #passes(line: string): boolean {
    const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? Infinity)
    return this.#isFirst ? level >= levels.warn || line.includes('"maxExchanges":') : level >= levels.error
  }
}
