import { hostname } from 'node:os'
import type { Configuration } from '../../configuration/configuration.ts'
import type { LogFile } from '../../server/log-file.ts'
import { openLog } from '../../server/log.ts'

const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, silent: Infinity } as const

/** What the log of a configuration says. */
export type LogOptions = Configuration['log']

/** Writes the lines of a process without Fastify, in the form that its workers' lines have. */
export class ParentLog {
  readonly #write: ((line: string) => void) | undefined
  readonly #file: LogFile | undefined
  /** The lowest level that is written. */
  level: string

  private constructor(write: ((line: string) => void) | undefined, file: LogFile | undefined, level: string) {
    this.#write = write
    this.#file = file
    this.level = level
  }

  /** @throws CommandError when its file cannot be opened */
  static async open(options: LogOptions): Promise<ParentLog> {
    const { logger, file } = await openLog(options)
    return new ParentLog(
      logger === false ? undefined : (line) => logger.stream.write(line),
      file,
      options.level ?? 'info',
    )
  }

  info(text: string, details: object = {}): void {
    this.#add('info', text, details)
  }

  warn(text: string, details: object = {}): void {
    this.#add('warn', text, details)
  }

  error(text: string, details: object = {}): void {
    this.#add('error', text, details)
  }

  /** Opens its file again, if it has one. Answers why it could not, in words. */
  reopen(): string | undefined {
    return this.#file?.reopen()
  }

  /** Is there a file to be opened again? */
  get hasFile(): boolean {
    return this.#file !== undefined
  }

  #add(level: 'info' | 'warn' | 'error', text: string, details: object): void {
    if (levels[level] < (levels[this.level as keyof typeof levels] ?? levels.info)) return
    const line = {
      level: levels[level],
      time: Date.now(),
      pid: process.pid,
      hostname: hostname(),
      ...details,
      msg: text,
    }
    this.#write?.(`${JSON.stringify(line)}\n`)
  }
}
