/** What becomes of a line that is not carried over. */
interface Fate {
  /** Does it change what requests get? */
  readonly needed: boolean
  readonly why: string
}

const logs = 'the balancer writes a line of its own for each request (see `log`)'
const connections = 'connections are kept on both sides, and closed by timeouts of their own'

/** By how a line begins; the longest beginning that fits is taken. */
const notNeeded: Readonly<Record<string, string>> = {
  log: logs,
  'log-format': logs,
  'option httplog': logs,
  'option tcplog': logs,
  'option httpslog': logs,
  'option dontlognull': logs,
  'option dontlog-normal': logs,
  'option log-health-checks': logs,
  'option log-separate-errors': logs,
  'option logasap': logs,
  'option http-keep-alive': connections,
  'option http-server-close': connections,
  'option httpclose': connections,
  'option forceclose': connections,
  'option http-pretend-keepalive': connections,
  'option prefer-last-server': connections,
  'option http-no-delay': 'it is about packets',
  'option tcp-smart-connect': 'it is about packets',
  'option tcp-smart-accept': 'it is about packets',
  'option splice-auto': 'it is about how bytes are copied',
  'option clitcpka': 'it is about TCP probes on idle connections',
  'option srvtcpka': 'it is about TCP probes on idle connections',
  'option tcpka': 'it is about TCP probes on idle connections',
  'option http-buffer-request': 'bodies are streamed; rules that look into them are left out',
  'option abortonclose': 'a request is given up as soon as its client is gone, always',
  'option contstats': 'it is about statistics',
  'option socket-stats': 'it is about statistics',
  'http-reuse': connections,
  'timeout http-keep-alive': connections,
  'timeout client-fin': connections,
  'timeout server-fin': connections,
  acl: 'it is a part of the rules that name it',
  description: 'it is a comment',
  id: 'it is about statistics',
  maxconn: 'the limit follows from the open files that are allowed (see `maxExchanges`)',
  fullconn: 'there is no minconn',
}

const leftOut: Readonly<Record<string, string>> = {
  'timeout http-request': 'the time for a request header cannot be set in the file',
  'timeout tunnel': 'upgrades such as WebSocket are not carried over',
  'timeout tarpit': 'nothing is tarpitted',
  'http-request set-header': 'headers are set by `rewrite.request` in a module',
  'http-request add-header': 'headers are set by `rewrite.request` in a module',
  'http-request del-header': 'headers are removed by `rewrite.request` in a module',
  'http-request set-path': 'paths are changed by `rewrite.request` in a module',
  'http-request replace-path': 'paths are changed by `rewrite.request` in a module',
  'http-request redirect': 'the balancer sends no responses of its own; only backends answer',
  redirect: 'the balancer sends no responses of its own; only backends answer',
  'http-response': 'headers of responses are changed by `rewrite.response` in a module',
  cookie: 'nothing of this section is forwarded',
  'stick-table': 'clients are not counted, and kept at one backend by a cookie only: see `sticky`',
  stick: 'clients are kept at one backend by a cookie only: see `sticky`',
  'http-request track-sc0': 'clients are not counted',
  bind: 'nothing of this section is forwarded, so it does not listen here',
  stats: 'there is a page of our own: `admin` and `dashboard`',
  compression: 'responses are forwarded as the backend sent them; let the backend compress',
  errorfile: 'failures are answered in JSON',
  'default-server': 'some of it has no counterpart',
  'server-template': 'each backend is listed; write them by hand',
  filter: 'there are no filters',
  'use-server': 'a server cannot be chosen by conditions',
}

function longestFit(table: Readonly<Record<string, string>>, text: string): string | undefined {
  const key = Object.keys(table)
    .filter((beginning) => text === beginning || text.startsWith(`${beginning} `))
    .toSorted((one, other) => other.length - one.length)[0]
  return key === undefined ? undefined : table[key]
}

/** What becomes of a line that nothing was made of. */
export function fateOf(kind: string, words: readonly string[]): Fate {
  const text = (words[0] === 'no' ? words.slice(1) : words).join(' ')
  if (kind === 'global') {
    // What is set for all `bind` and `server` lines.
    if (text.startsWith('ssl-'))
      return { needed: true, why: "TLS is that of Node's defaults, and backends are verified" }
    return { needed: false, why: 'it is about the process of HAProxy' }
  }
  if (words[0] === 'no') return { needed: false, why: 'it is always so here' }
  const why = longestFit(notNeeded, text)
  if (why !== undefined) return { needed: false, why }
  return { needed: true, why: longestFit(leftOut, text) ?? 'there is no counterpart' }
}
