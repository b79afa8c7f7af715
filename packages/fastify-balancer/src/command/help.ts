import { headings, options, type CommandOption } from './options.ts'

/** Where descriptions begin; the longest option is as long. */
const column = 36
const width = 80

function usageOf(name: string, { short, value }: CommandOption): string {
  const optional = name === 'trust-proxy' ? `[=<${value}>]` : value === undefined ? '' : ` <${value}>`
  return `  ${short === undefined ? '   ' : `-${short},`} --${name}${optional}`
}

/** A text in lines that stand below each other. */
function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last !== '' && column + last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join(`\n${' '.repeat(column)}`)
}

function partText(heading: CommandOption['heading']): string {
  const lines = Object.entries<CommandOption>(options)
    .filter(([, option]) => option.heading === heading)
    .map(([name, option]) => `${usageOf(name, option).padEnd(column)}${wrapped(option.description)}`)
  return `${heading}\n${lines.join('\n')}`
}

/** What `--help` prints. */
export const help = `fastify-balancer balances HTTP requests over several servers.

  fastify-balancer                       three demo backends and a live page
  fastify-balancer [options] <backend>…  e.g. -p 80 app1:3000 app2:3000=2
  fastify-balancer --config <file>       runs what a file describes; reloads the
                                         file when it changes
  fastify-balancer check <file>          checks such a file (check --help)
  fastify-balancer init                  writes such a file (init --help)
  fastify-balancer import <file>         converts an nginx.conf or haproxy.cfg
                                         (import --help)
  fastify-balancer simulate <file>       tries policies on simulated backends
                                         (simulate --help)
  fastify-balancer top                   a live table of a running balancer
                                         (top --help)

A backend is http://host:port, https://host:port, host:port, a port of this
machine, or a socket, unix:/run/app.sock; =5 behind it is its weight.
Certificates of https backends are verified; NODE_EXTRA_CA_CERTS names a file
with a CA of your own.

${headings.map(partText).join('\n\n')}

The page, the admin API and the metrics answer this machine only, until a token
or a file of passwords opens them. To sign in with a browser, enter any name,
and the token as the password.

SIGTERM and SIGINT stop it gracefully: requests and WebSockets end first. A
second signal stops it at once. With workers, SIGUSR2 is a rolling restart: new
workers take over, and no request fails. SIGUSR1 reopens the log (log.file).
SIGHUP reloads the file (--config); without one, it stops like SIGTERM.
Exit codes: 0 stopped by a signal, 1 could not listen or was stopped twice,
2 wrong arguments or files.
`
