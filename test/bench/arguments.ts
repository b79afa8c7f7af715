import { parseArgs } from 'node:util'

/** One option of a program. */
export interface Option<Own> {
  /** What stands for the value in the help. */
  readonly placeholder: string
  /** The default included. */
  readonly description: string
  /** The value when it is not given. */
  readonly default: Own
  /** It has no value: it is given, or not. */
  readonly isFlag?: boolean
  /** @throws Error that says what was expected */
  read(text: string): Own
}

/** What the help says of a program. */
interface Program {
  readonly name: string
  readonly does: string
  readonly more?: string
}

type Values<Options> = { readonly [Name in keyof Options]: Options[Name] extends Option<infer Own> ? Own : never }

/** A whole number. */
export function integer(description: string, { default: value, minimum = 1 }: { default: number; minimum?: number }) {
  const read = (text: string) => {
    const number = Number(text)
    if (text === '' || !Number.isSafeInteger(number) || number < minimum)
      throw new Error(`expected a whole number of at least ${minimum}, not '${text}'`)
    return number
  }
  return { placeholder: 'N', description: `${description} (${value})`, default: value, read } satisfies Option<number>
}

/** Yes, if it is given. */
export function flag(description: string): Option<boolean> {
  return { placeholder: '', description, default: false, isFlag: true, read: () => true }
}

/** One of several names. */
export function choice<Name extends string>(description: string, names: readonly [Name, ...Name[]]): Option<Name> {
  const read = (text: string) => known(names, text)
  return { placeholder: names.join('|'), description: `${description} (${names[0]})`, default: names[0], read }
}

/** Several of many names, with commas between; when it is not given, all of them, or the usual ones. */
export function subset<Name extends string>(
  description: string,
  placeholder: string,
  names: readonly Name[],
  usual: readonly Name[] = names,
): Option<readonly Name[]> {
  const read = (text: string) => {
    const asked = new Set(text.split(',').map((name) => known(names, name.trim())))
    return names.filter((name) => asked.has(name))
  }
  const others = names.filter((name) => !usual.includes(name))
  const value = others.length === 0 ? 'all' : `all but ${others.join(', ')}`
  return { placeholder, description: `${description} (${value})`, default: usual, read }
}

/** A path. */
export function path<Default extends string | undefined>(description: string, value: Default) {
  const read = (text: string): string | Default => {
    if (text === '') throw new Error('expected a path')
    return text
  }
  const full = value === undefined ? description : `${description} (${value})`
  return { placeholder: 'FILE', description: full, default: value as string | Default, read }
}

/** Reads the command line. With --help, prints the help and exits with 0; on errors, names them and exits with 2. */
export function readArguments<Options extends Record<string, Option<unknown>>>(
  program: Program,
  options: Options,
): Values<Options> {
  try {
    const given = parse(options)
    if (given.help === true) return end(0, process.stdout, help(program, options))
    return Object.fromEntries(
      Object.entries(options).map(([name, option]) => [name, valueOf(name, option, given[name])]),
    ) as Values<Options>
  } catch (error) {
    return end(2, process.stderr, `${program.name}: ${(error as Error).message} (see --help)\n`)
  }
}

function end(status: number, stream: NodeJS.WriteStream, text: string): never {
  stream.write(text)
  process.exit(status)
}

function parse(options: Record<string, Option<unknown>>): Record<string, string | boolean | undefined> {
  const given = process.argv.slice(2)
  // pnpm hands on the `--` that separates its own arguments.
  if (given[0] === '--') given.shift()
  const accepted = Object.fromEntries(
    Object.entries(options).map(([name, { isFlag }]) => [
      name,
      { type: isFlag === true ? 'boolean' : 'string' } as const,
    ]),
  )
  return parseArgs({ args: given, options: { help: { type: 'boolean', short: 'h' }, ...accepted } }).values
}

function valueOf(name: string, option: Option<unknown>, text: string | boolean | undefined): unknown {
  if (text === undefined) return option.default
  try {
    return option.read(String(text))
  } catch (error) {
    throw new Error(`--${name}: ${(error as Error).message}`, { cause: error })
  }
}

function known<Name extends string>(names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text)
  if (found === undefined) throw new Error(`unknown name '${text}'; known are ${names.join(', ')}`)
  return found
}

function help({ name, does, more }: Program, options: Record<string, Option<unknown>>) {
  const lines = Object.entries(options).map(
    ([option, { placeholder, description }]) => `  --${option} ${placeholder}`.padEnd(27) + `  ${description}`,
  )
  lines.push('  -h, --help'.padEnd(27) + '  Show this help')
  const parts = [
    does,
    `Usage: node test/bench/${name} [options]`,
    lines.join('\n'),
    ...(more === undefined ? [] : [more]),
  ]
  return `${parts.join('\n\n')}\n`
}
