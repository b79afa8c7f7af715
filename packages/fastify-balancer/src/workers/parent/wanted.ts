import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { LogForm } from '../../configuration/configuration.ts'
import { subcommandNames } from '../../command/subcommands.ts'
import { substitute } from '../../configuration/document/variables.ts'
import { readDocument } from '../../configuration/document/document.ts'
import { countOf, workersFrom } from '../../values/worker-count.ts'
import type { LogOptions } from './parent-log.ts'

/** What a parent must know of a command. */
export interface Wanted {
  readonly count: number
  readonly log: LogOptions
  /** The file that describes what runs, with its text. */
  readonly file?: string
  readonly text?: string
  readonly given: GivenValues
}

/** What a command line says, which goes before what a file says. */
export interface GivenValues {
  readonly workers?: string
  readonly form?: LogForm
}

const options = {
  config: { type: 'string', short: 'c' },
  workers: { type: 'string' },
  log: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** What the text of a file wants of a parent; what is wrong with it is for those to say who check it. */
export function wantedByText(file: string, text: string, given: GivenValues): Pick<Wanted, 'count' | 'log'> {
  const value = substitute(readDocument(file, text).value, process.env).value as
    | { readonly workers?: unknown; readonly log?: LogOptions }
    | undefined
  const { form: own, level, file: path } = value?.log ?? {}
  const form = given.form ?? own
  return {
    count: countOf(workersFrom(given.workers ?? value?.workers)),
    log: {
      ...(form !== undefined && { form }),
      ...(level !== undefined && { level }),
      ...(typeof path === 'string' && { file: resolve(dirname(file), path) }),
    },
  }
}

/**
 * How many processes a command line wants, found out without loading what they will run; whether it is right is for them to
 * find out. Undefined if it runs nothing.
 */
export async function wantedBy(argv: readonly string[]): Promise<Wanted | undefined> {
  // `pnpm start -- …` passes its own `--` on.
  if (subcommandNames.includes((argv[0] === '--' ? argv[1] : argv[0]) ?? '')) return undefined
  const { values, positionals } = parseArgs({
    args: argv[0] === '--' ? argv.slice(1) : [...argv],
    options,
    strict: false,
    allowPositionals: true,
  })
  if (values.help === true || values.version === true) return undefined
  const { workers, log: form, config: file } = values
  const given: GivenValues = {
    ...(typeof workers === 'string' && { workers }),
    ...(typeof form === 'string' && { form: form as LogForm }),
  }
  // The demo, which runs in one process.
  if (typeof file !== 'string' && positionals.length === 0) return undefined
  if (typeof file !== 'string') return { count: countOf(workersFrom(workers)), log: given, given }
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : { ...wantedByText(file, text, given), file, text, given }
}
