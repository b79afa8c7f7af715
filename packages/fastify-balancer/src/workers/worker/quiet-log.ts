import type { Configuration } from '../../configuration/configuration.ts'
import { openLog, type Log } from '../../server/log.ts'

/** As pino writes them. */
const levels = { warn: 40, error: 50 } as const

/** A log that leaves out most lines, until `speak` is called: workers that start would all say the same. */
export class QuietLog {
  readonly #from: number
  #isQuiet = true

  /** Lines from this level on are written from the beginning. */
  constructor(from: keyof typeof levels) {
    this.#from = levels[from]
  }

  /** Opens a log, as `openLog` does. */
  readonly open = async (options: Configuration['log']): Promise<Log> => {
    const { logger, file } = await openLog(options)
    if (logger === false) return { logger, file }
    const { level, stream } = logger
    const write = (line: string) => {
      if (!this.#isQuiet || Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? Infinity) >= this.#from) stream.write(line)
    }
    return { logger: { level, stream: { write } }, file }
  }

  /** From now on, every line is written. */
  speak(): void {
    this.#isQuiet = false
  }
}
