// Room `init`: writes a first file, from flags or from answers on a terminal.
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CommandError } from '../command-error.ts'
import { schemaLine } from '../configuration/schema-line.ts'
import { writeError } from '../file-error.ts'
import { parsedArguments } from '../values/parsed-arguments.ts'
import { readAnswers, type AnswerName } from './answers.ts'
import { newFile } from './new-file.ts'
import { askAnswers } from './questions.ts'

/** What `fastify-balancer init --help` prints. */
export const initHelp = `fastify-balancer init [options] [address…]

Writes a commented file to start from. On a terminal it asks for what is not
given; elsewhere it needs --backends or --yes.

  --backends <list>      your servers: http://host:port or host:port, separated
                         by commas; =5 behind one is its weight
  --port <number>        port to listen on (8080)
  --host <address>       address to listen on; 0.0.0.0 opens it to the network
                         (127.0.0.1)
  --name <name>          name of the balancer (web)
  --policy <name>        how a backend is chosen (round-robin)
  --health-path <path>   path of the health check; off = no checks (/)
  --dashboard            a live page and the admin API; the token for them is
                         written to a file of its own
  --metrics              Prometheus metrics, at /metrics
  --output <file>        where to write it (fastify-balancer.yaml)
  --force                overwrite an existing file
  --yes                  ask nothing: defaults are used, with one server,
                         http://127.0.0.1:3000

Exit codes: 0 written, 1 stopped or not writable, 2 wrong arguments, or the file
exists already.
`

const options = {
  backends: { type: 'string', multiple: true },
  port: { type: 'string', short: 'p' },
  host: { type: 'string' },
  name: { type: 'string' },
  policy: { type: 'string' },
  'health-path': { type: 'string' },
  dashboard: { type: 'boolean' },
  metrics: { type: 'boolean' },
  output: { type: 'string', short: 'o', default: 'fastify-balancer.yaml' },
  force: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
  help: { type: 'boolean', short: 'h' },
} as const

type Arguments = ReturnType<typeof parsedArguments<typeof options>>

function given({ values, positionals }: Arguments): Partial<Record<AnswerName, string>> {
  const { port, host, name, policy, dashboard, metrics } = values
  const backends = [...(values.backends ?? []), ...positionals]
  const all = { port, host, name, policy, 'health-path': values['health-path'] }
  return {
    ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
    ...(backends.length > 0 && { backends: backends.join(' ') }),
    ...(dashboard === true && { dashboard: 'yes' }),
    ...(metrics === true && { metrics: 'yes' }),
  }
}

/** `opening` is as `openSync` has it: `w`, or `wx` for a file that must not be there. */
function write(file: string, text: string, opening: 'w' | 'wx', mode = 0o666): void {
  try {
    const descriptor = openSync(file, opening, mode)
    try {
      writeFileSync(descriptor, text)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new CommandError(`${file} is there already; --force overwrites it`, 2)
    throw writeError(file, error, 1)
  }
}

/** As a shell takes it. */
function quoted(file: string): string {
  return /^[\w./~-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`
}

/** How to run what was written. */
function farewell(file: string, port: number, tokenFile: string | undefined): string {
  const command = process.env['npm_command'] === 'exec' ? 'npx fastify-balancer' : 'fastify-balancer'
  const page =
    tokenFile === undefined
      ? ''
      : `Then the page is at http://127.0.0.1:${port}/_balancer/; the password is in ${tokenFile}.\n`
  return `Wrote ${file}. Run it:\n\n  ${command} --config ${quoted(file)}\n\n${page}`
}

async function answersOf(args: Arguments) {
  const known = given(args)
  // What cannot be used is said before anything is asked.
  readAnswers(known)
  if (args.values.yes === true) return readAnswers(known)
  if (process.stdin.isTTY && process.stdout.isTTY)
    return readAnswers(await askAnswers(known, { input: process.stdin, output: process.stdout }))
  if (known.backends === undefined)
    throw new CommandError('init needs --backends with your servers, or --yes; see init --help', 2)
  return readAnswers(known)
}

/**
 * Runs `fastify-balancer init`. Answers the exit code.
 * @throws CommandError where arguments are wrong, or the file is there already
 */
export async function initCommand(argv: readonly string[]): Promise<number> {
  const args = parsedArguments(argv, options, 'init')
  const { output, force, help } = args.values
  if (help === true) {
    process.stdout.write(initHelp)
    return 0
  }
  if (force !== true && existsSync(output))
    throw new CommandError(`${output} is there already; --force overwrites it`, 2)
  const answers = await answersOf(args)
  const tokenFile = `${output.replace(/\.\w+$/, '')}.token`
  const named = `./${tokenFile.slice(tokenFile.lastIndexOf('/') + 1)}`
  const text = newFile(answers, schemaLine(dirname(output)), quoted(output), named)
  write(output, text, force === true ? 'w' : 'wx')
  // One that is there already may be in use.
  if (answers.dashboard && !existsSync(tokenFile))
    write(tokenFile, `${randomBytes(24).toString('base64url')}\n`, 'wx', 0o600)
  process.stdout.write(farewell(output, answers.port, answers.dashboard ? tokenFile : undefined))
  return 0
}
