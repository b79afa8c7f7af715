import { withoutSecrets } from '@fastify-balancer/option-schema'
import { CommandError } from '../command-error.ts'

/** Arguments that cannot be used. What is said of them is printed, and may be kept: not with a password. */
export function wrong(message: string, subcommand?: string): CommandError {
  const help = subcommand === undefined ? '--help' : `${subcommand} --help`
  return new CommandError(`${withoutSecrets(message)}; see ${help}`, 2)
}
