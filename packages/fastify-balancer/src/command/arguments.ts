// Room `command`: what the command line says, and what is printed about it.
import { quoted, withoutSecrets } from '@fastify-balancer/option-schema'
import { parseArgs } from 'node:util'
import { CommandError } from '../command-error.ts'
import type { PolicyName } from '../index.ts'
import type { LogForm } from '../configuration/configuration.ts'

// It is printed, and may be kept: not with a password.
const wrong = (message: string) => new CommandError(`${withoutSecrets(message)}; see --help`, 2)

// Keys of an object, so that the compiler misses none of the core's.
const policyNames = Object.keys({
  'round-robin': true,
  weighted: true,
  random: true,
  p2c: true,
  'least-requests': true,
} satisfies Record<PolicyName, true>) as PolicyName[]

const logNames: readonly LogForm[] = ['pretty', 'json', 'off']

/** Every option: what `parseArgs` reads and what `--help` prints. */
export const options = {
  port: { type: 'string', default: '8080', value: 'number', description: 'listen on this port; 0 = any free one' },
  host: {
    type: 'string',
    default: '127.0.0.1',
    value: 'address',
    description: 'listen on this address; 0.0.0.0 opens it to the network',
  },
  policy: { type: 'string', default: 'round-robin', value: 'name', description: policyNames.join(', ') },
  check: {
    type: 'string',
    default: '/',
    value: 'path',
    description: 'path of the health check (HEAD); off = no checks',
  },
  'drain-deadline': {
    type: 'string',
    default: '30000',
    value: 'ms',
    description: 'how long SIGTERM lets requests finish; 0 = as long as they take',
  },
  log: {
    type: 'string',
    value: 'form',
    description: `${logNames.join(', ')}; default: pretty on a terminal, else json`,
  },
  help: { type: 'boolean', short: 'h', description: 'print this' },
  version: { type: 'boolean', description: 'print the version' },
} as const

/** What to run. */
export interface ServeCommand {
  readonly kind: 'serve'
  /** Origins; with none, the demo's backends are balanced. */
  readonly backends: readonly string[]
  readonly port: number
  readonly host: string
  readonly policy: PolicyName
  /** What is asked for to see whether a backend is well; undefined = nothing. */
  readonly check: string | undefined
  readonly drainDeadline: number
  readonly log: LogForm | undefined
}

/** What the command line asks for. */
export type Command = { readonly kind: 'help' } | { readonly kind: 'version' } | ServeCommand

function parse(args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    const name = /--[\w-]+/.exec(message)?.[0]
    // Node's own message has several lines, with advice that does not fit here.
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw wrong(`unknown option ${/'.*?'/.exec(message)?.[0]}`)
    if (name === undefined || message.includes('does not take')) throw wrong(message.replace(/\n.*/s, ''))
    throw wrong(`${name} needs a value`)
  }
}

function integer(name: 'port' | 'drain-deadline', text: string, max: number): number {
  if (!/^\d+$/.test(text) || Number(text) > max)
    throw wrong(`--${name} must be a whole number from 0 to ${max}, not ${quoted(text)}`)
  return Number(text)
}

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find((one) => one === text)
  if (name === undefined) throw wrong(`--${option} must be one of ${names.join(', ')}, not ${quoted(text)}`)
  return name
}

function path(option: string, text: string): string {
  if (!/^\/[!-"$-~]*$/.test(text))
    throw wrong(`--${option} must be a path such as /health, or off, not ${quoted(text)}`)
  return text
}

/** An origin, from a URL or from `host:port`. */
function origin(text: string): string {
  const url = URL.parse(/^(\[[\da-f:.]+\]|[^/:]+):\d+$/i.test(text) ? `http://${text}` : text)
  if (url === null || url.hostname === '')
    throw wrong(`${quoted(text)} is not an address such as http://127.0.0.1:3001`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw wrong(`${quoted(text)} must begin with http:// or https://`)
  if (url.href !== `${url.origin}/`) throw wrong(`${quoted(text)} must be scheme, host and port alone`)
  return url.origin
}

/**
 * Reads the command line.
 * @throws CommandError
 */
export function readArguments(argv: readonly string[]): Command {
  // `pnpm start -- …` passes its own `--` on.
  const { values, positionals } = parse(argv[0] === '--' ? argv.slice(1) : [...argv])
  if (values.help === true) return { kind: 'help' }
  if (values.version === true) return { kind: 'version' }
  const backends = positionals.map(origin)
  const repeated = backends.find((one, index) => backends.indexOf(one) !== index)
  if (repeated !== undefined) throw wrong(`${repeated} is given twice`)
  if (values.host === '') throw wrong('--host needs a value')
  return {
    kind: 'serve',
    backends,
    port: integer('port', values.port, 65_535),
    host: values.host,
    policy: oneOf('policy', values.policy, policyNames),
    check: values.check === 'off' ? undefined : path('check', values.check),
    drainDeadline: integer('drain-deadline', values['drain-deadline'], 2_147_483_647),
    log: values.log === undefined ? undefined : oneOf('log', values.log, logNames),
  }
}
