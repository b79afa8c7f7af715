import { nearName, quoted } from '@fastify-balancer/option-schema'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { wrong } from './wrong-arguments.ts'

/** What to say about an option that there is not. */
export function unknownOption(option: string, known: ParseArgsOptionsConfig): string {
  const near = option.startsWith('--') ? nearName(option.slice(2), Object.keys(known)) : undefined
  return `unknown option ${quoted(option)}${near === undefined ? '' : ` (did you mean --${near}?)`}`
}

/**
 * Options and words of a command, or of a subcommand. Node's own messages have several lines, with advice that does not fit
 * here. `told` says more of an option that there is not. @throws CommandError
 */
export function parsedArguments<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  subcommand?: string,
  told: (option: string) => string = (option) => unknownOption(option, options),
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw wrong(told(/'(.*?)'/.exec(message)?.[1] ?? ''), subcommand)
    const name = /--[\w-]+/.exec(message)?.[0]
    if (name === undefined || message.includes('does not take')) throw wrong(message.replace(/\n.*/s, ''), subcommand)
    throw wrong(`${name} needs a value`, subcommand)
  }
}
