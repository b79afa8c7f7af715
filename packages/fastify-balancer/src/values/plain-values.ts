// Room `values`: texts of a command line, or of answers on a terminal: what they mean, and which cannot be used.
import { nearName, quoted } from '@fastify-balancer/option-schema'
import { mostWorkers, workersFrom, type Workers } from './worker-count.ts'
import { wrong } from './wrong-arguments.ts'

/** A whole number; `name` is what it is called in the error. @throws CommandError */
export function integer(name: string, text: string, max: number, subcommand?: string): number {
  if (!/^\d+$/.test(text) || Number(text) > max)
    throw wrong(`${name} must be a whole number from 0 to ${max}, not ${quoted(text)}`, subcommand)
  return Number(text)
}

/** One of some names. @throws CommandError */
export function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((one) => one === text)
  if (name !== undefined) return name
  const near = nearName(text, names)
  const advice = near === undefined ? '' : ` (did you mean ${near}?)`
  throw wrong(`--${option} must be one of ${names.join(', ')}, not ${quoted(text)}${advice}`)
}

/** A path, as a request has it. @throws CommandError */
export function path(option: string, text: string): string {
  if (!/^\/[!-"$-~]*$/.test(text))
    throw wrong(`--${option} must be a path such as /health, or off, not ${quoted(text)}`)
  return text
}

/** How many processes. @throws CommandError */
export function workers(text: string): Workers {
  const count = workersFrom(text)
  if (count !== undefined) return count
  throw wrong(`--workers must be a whole number from 1 to ${mostWorkers}, or auto, not ${quoted(text)}`)
}
