// Room `workers`: one program in several processes: a parent that starts and keeps them, and workers that serve.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { LogForm } from '../configuration/configuration.ts'
import { subcommandNames } from '../command/subcommands.ts'
import { substitute } from '../configuration/document/variables.ts'
import { readDocument } from '../configuration/document/document.ts'
import { countOf, workersFrom } from '../configuration/worker-count.ts'
import type { LogOptions } from './parent/parent-log.ts'

/** What a parent must know of a command. */
export interface Wanted {
  readonly count: number
  readonly log: LogOptions
  /** The file that describes what runs, with its text. */
  readonly file?: string
  readonly text?: string
}

const options = {
  config: { type: 'string', short: 'c' },
  workers: { type: 'string' },
  log: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

type Values = Readonly<Partial<Record<keyof typeof options, string | boolean>>>

/** What the text of a file says of the workers and of the log; what is wrong with it is for those to say who check it. */
function described(file: string, text: string): { readonly workers: unknown; readonly log: LogOptions } {
  const value = substitute(readDocument(file, text).value, process.env).value as
    { readonly workers?: unknown; readonly log?: LogOptions } | undefined
  const { form, level, file: path } = value?.log ?? {}
  return {
    workers: value?.workers,
    log: {
      ...(form !== undefined && { form }),
      ...(level !== undefined && { level }),
      ...(typeof path === 'string' && { file: resolve(dirname(file), path) }),
    },
  }
}

/** The file as it is now, as far as it is a parent's matter; undefined if it cannot be read. */
async function wantedByFile(file: string, values: Values): Promise<Wanted | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { workers, log } = described(file, text)
  const count = countOf(workersFrom(values.workers ?? workers))
  return { count, log: { ...log, ...(values.log !== undefined && { form: values.log as LogForm }) }, file, text }
}

/**
 * How many processes a command line wants, found out without loading what they will run; whether it is right is for them to
 * find out. Undefined if it runs nothing.
 */
export async function wantedBy(argv: readonly string[]): Promise<Wanted | undefined> {
  // `pnpm start -- …` passes its own `--` on.
  if (subcommandNames.includes((argv[0] === '--' ? argv[1] : argv[0]) ?? '')) return undefined
  const { values } = parseArgs({ args: argv[0] === '--' ? argv.slice(1) : [...argv], options, strict: false, allowPositionals: true })
  if (values.help === true || values.version === true) return undefined
  if (typeof values.config === 'string') return wantedByFile(values.config, values)
  const log = values.log === undefined ? {} : { form: values.log as LogForm }
  return { count: countOf(workersFrom(values.workers)), log }
}
