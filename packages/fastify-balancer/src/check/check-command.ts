import { parsedArguments } from '../values/parsed-arguments.ts'
import { wrong } from '../values/wrong-arguments.ts'
import { check } from './check.ts'

/** What `fastify-balancer check --help` prints. */
const checkHelp = `fastify-balancer check <file>

Checks a configuration and everything that it names: certificates, secrets,
modules (they are loaded), names of backends. Prints every fault with its line;
if there is none, prints every option with its value and where that comes from.
Secrets are not shown. A name that does not resolve is a warning only: it may
resolve where the file is used.

Exit codes: 0 valid, 1 faults, 2 wrong arguments.
`

function fileOf(args: readonly string[]): string | undefined {
  const { values, positionals } = parsedArguments(args, { help: { type: 'boolean', short: 'h' } }, 'check')
  if (values.help === true) return undefined
  if (positionals.length === 1) return positionals[0]
  throw wrong(positionals.length === 0 ? 'name the file to check' : 'one file at a time', 'check')
}

/** `fastify-balancer check`: answers the exit code. @throws CommandError */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const file = fileOf(args)
  if (file === undefined) {
    process.stdout.write(checkHelp)
    return 0
  }
  const isTerminal = process.stderr.isTTY
  return check(file, {
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    excerpts: isTerminal,
    colors: isTerminal && (process.env['NO_COLOR'] ?? '') === '',
  })
}
