// Room `import`: turns the configuration of another program into our file, and tells what it could not carry over.
import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.ts'
import { reasonOf } from '../file-error.ts'
import { schemaLine } from '../configuration/schema-line.ts'
import { parsedArguments } from '../values/parsed-arguments.ts'
import type { Draft } from './result/draft.ts'
import { haproxyDifferences, importHaproxy } from './haproxy/haproxy-import.ts'
import { importNginx, nginxDifferences } from './nginx/nginx-import.ts'
import { Report } from './result/report.ts'
import { yamlText } from './result/yaml-text.ts'

interface Program {
  readonly name: string
  readonly read: (file: string, report: Report) => Draft
  readonly differences: readonly string[]
}

const programs: Readonly<Record<string, Program>> = {
  nginx: { name: 'nginx', read: importNginx, differences: nginxDifferences },
  haproxy: { name: 'HAProxy', read: importHaproxy, differences: haproxyDifferences },
}

/** What `fastify-balancer import --help` prints. */
export const importHelp = `fastify-balancer import [--from nginx|haproxy] <file>

Prints the configuration of nginx or HAProxy as a file for fastify-balancer.
Nothing is guessed: standard error lists everything that was left out, that
differs, or that is not needed, with its place and the reason. Paths that nginx
protects, or answers without proxy_pass, get no backends, and so 503.

  --from <name>   the program that the file is for; default: found from the file

Exit codes: 0 everything was carried over, 1 something was left out,
2 the file cannot be read or the arguments are wrong.
`

const options = { from: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${reasonOf(error)}`, 2)
  }
}

/** A file of HAProxy begins with a section: a word, and mostly a name; nginx has braces and semicolons. */
const haproxyStart =
  /^(?:\s*(?:#.*)?\n)*\s*(?:global|defaults|frontend|backend|listen|userlist|resolvers|peers|mailers|cache|program|ring|http-errors)\b(?!.*[;{]\s*(?:#.*)?$)/m

function programOf(from: string | undefined, file: string): Program {
  const text = textOf(file)
  const program = programs[from ?? (haproxyStart.exec(text)?.index === 0 ? 'haproxy' : 'nginx')]
  if (program === undefined) throw new CommandError(`--from must be nginx or haproxy, not ${from}`, 2)
  return program
}

function headOf({ name, differences }: Program, file: string): readonly string[] {
  return [
    schemaLine('.').slice('# '.length),
    '',
    `Imported from ${file} (${name}). Comments name the line of that file, or the default of ${name} that is kept.`,
    `What is different in any case:`,
    ...differences.map((one) => `- ${one}`),
  ]
}

/**
 * Runs `fastify-balancer import`. Answers the exit code: 1 if something was left out.
 * @throws CommandError with exit code 2 when the file cannot be read
 */
export async function importCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsedArguments(args, options, 'import')
  if (values.help === true) {
    process.stdout.write(importHelp)
    return 0
  }
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new CommandError('import needs one file; see import --help', 2)
  const program = programOf(values.from, file)
  const report = new Report()
  const draft = program.read(file, report)
  for (const line of report.lines()) process.stderr.write(`${line}\n`)
  if (draft.balancers.length === 0) {
    process.stderr.write(`${file}: there is nothing in it that fastify-balancer could do\n`)
    return 1
  }
  process.stdout.write(yamlText(draft, headOf(program, file)))
  return report.isComplete ? 0 : 1
}
