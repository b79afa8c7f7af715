import { quoted } from '@fastify-balancer/option-schema'
import { givenToken } from '../guard/given-token.ts'
import { parsedArguments, unknownOption } from '../values/parsed-arguments.ts'
import { wrong } from '../values/wrong-arguments.ts'
import { AdminApi } from './admin-api.ts'
import { watch } from './live.ts'
import { tableOnce } from './once.ts'

/** What `fastify-balancer top --help` prints. */
const topHelp = `fastify-balancer top [options]

Shows the balancers of a running server and their backends, the worst first:
state and why, requests per second, failed ones, p95 of the time to response
headers, requests in flight of how many, connections. Figures are of the last
5 seconds, with --once of 1. Asks the admin API: the server needs --dashboard,
or \`admin\` in its file.

  --url <url>                  where that is (http://127.0.0.1:8080); with its
                               prefix, unless that is /_balancer
  --admin-token-file <file>    file with its token; or set $BALANCER_ADMIN_TOKEN
  --once                       print the table once; likewise where there is no
                               terminal

Keys: up and down choose a backend, d drains it, r sets it ready, p probes it
(y confirms), q quits. NO_COLOR turns colors off.

Exit codes: 0 shown, 1 not reached, refused or no admin API, 2 wrong arguments.
`

const options = {
  url: { type: 'string' },
  'admin-token-file': { type: 'string' },
  once: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function urlOf(text: string): URL {
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`)
  if (url === null || url.search !== '' || url.hash !== '')
    throw wrong(`--url must be an address such as http://127.0.0.1:8080, not ${quoted(text)}`, 'top')
  if (url.username !== '' || url.password !== '')
    throw wrong('--url must not hold a password: use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN', 'top')
  return url
}

/** The token of a command line can be seen by every user of the machine. */
function unknownHere(option: string): string {
  const isToken = /^--(?:admin-)?token$/.test(option)
  return isToken
    ? `unknown option ${quoted(option)}: use --admin-token-file, or the variable BALANCER_ADMIN_TOKEN`
    : unknownOption(option, options)
}

/** `fastify-balancer top`: answers the exit code. @throws CommandError */
export async function topCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsedArguments(args, options, 'top', unknownHere)
  if (values.help === true) {
    process.stdout.write(topHelp)
    return 0
  }
  if (positionals.length > 0)
    throw wrong(`${quoted(positionals[0]!)} is one too many: the address goes into --url`, 'top')
  const { token, warning } = givenToken(values['admin-token-file'], process.env)
  if (warning !== undefined) process.stderr.write(`fastify-balancer: ${warning}\n`)
  const api = new AdminApi(urlOf(values.url ?? 'http://127.0.0.1:8080'), token)
  const isColoured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
  if (values.once !== true && process.stdout.isTTY && process.stdin.isTTY) await watch(api, isColoured)
  else process.stdout.write(await tableOnce(api, process.stdout.isTTY ? process.stdout.columns : Infinity, isColoured))
  return 0
}
