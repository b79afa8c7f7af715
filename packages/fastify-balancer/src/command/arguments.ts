// Room `command`: what the command line says, and what is printed about it.
import { nearName, quoted } from '@fastify-balancer/option-schema'
import type { Configuration, LogForm } from '../configuration/configuration.ts'
import { readBackendAddress, type BackendAddress } from '../values/backend-address.ts'
import { configurationOf, type Environment } from './command-configuration.ts'
import { logForms, options } from './options.ts'
import { subcommandNames } from './subcommands.ts'
import { withTrustProxyValue } from './trust-proxy.ts'
import { unknownOption } from './unknown-option.ts'
import { parsedArguments } from '../values/parsed-arguments.ts'
import { oneOf, workers } from '../values/plain-values.ts'
import { countOf, type Workers } from '../values/worker-count.ts'
import { wrong } from '../values/wrong-arguments.ts'

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'subcommand'; readonly name: string; readonly args: readonly string[] }
  | FileCommand
  | ServeCommand

/** A file that describes what is to run. */
export interface FileCommand {
  readonly kind: 'file'
  readonly file: string
  /** In place of what the file says. */
  readonly log: LogForm | undefined
  /** Likewise. */
  readonly workers: Workers | undefined
}

/** Something to run that the command line describes itself. */
export interface ServeCommand {
  readonly kind: 'serve'
  /** Without backends if none were given: those of the demo are to take their place. */
  readonly configuration: Configuration
  /** What works, but should be mended. */
  readonly warnings: readonly string[]
}

/** A word alone can only be a subcommand that was misspelt, or something that belongs behind one. */
function refuseWord(text: string): void {
  if (!/^[a-z][a-z-]*$/i.test(text) || text === 'localhost') return
  const near = nearName(text, subcommandNames)
  if (near !== undefined) throw wrong(`there is no command ${quoted(text)} (did you mean ${near}?)`)
}

function backendsOf(positionals: readonly string[]): readonly BackendAddress[] {
  if (positionals[0] !== undefined) refuseWord(positionals[0])
  const backends = positionals.map(readBackendAddress)
  const repeated = backends.find(({ url }, index) => backends.findIndex((one) => one.url === url) !== index)
  if (repeated !== undefined)
    throw wrong(`${repeated.url} is given twice: for a larger share, give it a weight, as in ${repeated.url}=2`)
  return backends
}

type Parsed = ReturnType<typeof parsedArguments<typeof options>>

function fileCommand({ values, positionals }: Parsed, file: string): Command {
  const other = Object.keys(values).find((name) => name !== 'config' && name !== 'log' && name !== 'workers')
  if (other !== undefined) throw wrong(`--${other} cannot be used with --config: set it in ${quoted(file)}`)
  if (positionals.length > 0) throw wrong(`addresses cannot be used with --config: list them in ${quoted(file)}`)
  const log = values.log === undefined ? undefined : oneOf('log', values.log, logForms)
  return { kind: 'file', file, log, workers: values.workers === undefined ? undefined : workers(values.workers) }
}

/**
 * Reads the command line, and the files and variables that it goes by.
 * @throws CommandError
 */
export function readArguments(argv: readonly string[], environment: Environment = process.env): Command {
  // `pnpm start -- …` passes its own `--` on.
  const [first, ...others] = argv[0] === '--' ? argv.slice(1) : argv
  const name = subcommandNames.find((one) => one === first)
  if (name !== undefined) return { kind: 'subcommand', name, args: others }
  const parsed = parsedArguments(
    withTrustProxyValue(first === undefined ? [] : [first, ...others]),
    options,
    undefined,
    unknownOption,
  )
  const { values } = parsed
  if (values.help === true) return { kind: 'help' }
  if (values.version === true) return { kind: 'version' }
  if (values.config !== undefined) return fileCommand(parsed, values.config)
  const serve = { kind: 'serve', ...configurationOf(values, backendsOf(parsed.positionals), environment) } as const
  if (parsed.positionals.length === 0 && countOf(serve.configuration.workers) > 1)
    throw wrong('--workers needs backends: the demo runs in one process')
  return serve
}
