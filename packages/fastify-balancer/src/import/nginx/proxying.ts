import { byDefault, fromLine, type Tree, type TreeObject } from '../result/draft.ts'
import { durationOf } from '../result/durations.ts'
import type { Place, Report } from '../result/report.ts'
import { textOf } from './syntax/directive.ts'
import type { Scope } from './scope.ts'

interface Limit {
  readonly value: number
  readonly place: Place | undefined
}

function limitOf(scope: Scope, name: string): Limit {
  const directive = scope.get(name)
  return { value: durationOf(directive?.args[0] ?? '60s', 's') ?? 60_000, place: directive?.place }
}

function limitTree({ value, place }: Limit, name: string): Tree {
  return place === undefined ? byDefault('nginx', value, name) : fromLine(place, value, name)
}

/** The timeouts of nginx, given or not: each is 60 s unless the file says otherwise. */
export function timeoutsOf(scope: Scope, report: Report): TreeObject {
  const [connect, read, send] = ['connect', 'read', 'send'].map((name) => limitOf(scope, `proxy_${name}_timeout`)) as [
    Limit,
    Limit,
    Limit,
  ]
  if (send.value !== read.value && send.place !== undefined)
    report.leaveOut(
      send.place,
      `proxy_send_timeout ${send.value} ms`,
      `one limit, \`timeouts.idle\`, is for sending and reading; it is that of proxy_read_timeout, ${read.value} ms`,
    )
  return {
    connect: limitTree(connect, 'proxy_connect_timeout'),
    headers: limitTree(read, 'proxy_read_timeout'),
    idle: limitTree(read, 'proxy_read_timeout'),
  }
}

const safeMethods = 'GET HEAD OPTIONS PUT DELETE PROPFIND PROPPATCH MKCOL COPY MOVE UNLOCK'.split(' ')
const unsafeMethods = ['POST', 'PATCH', 'LOCK']

/** The statuses that `proxy_next_upstream` names: they are retried. */
function statusesOf(conditions: readonly string[]): readonly number[] {
  return conditions.filter((one) => /^http_\d{3}$/.test(one)).map((one) => Number(one.slice(5)))
}

/** The statuses that also count as a failure of the server; 403 and 404 never do in nginx. */
export function failingStatuses(scope: Scope): readonly number[] {
  return statusesOf(scope.get('proxy_next_upstream')?.args ?? []).filter((status) => status !== 403 && status !== 404)
}

function conditionsOf(scope: Scope, report: Report): readonly string[] {
  const directive = scope.get('proxy_next_upstream')
  if (directive === undefined) return ['error', 'timeout']
  const { args, place } = directive
  const text = textOf(directive)
  if (args.includes('off'))
    report.differs(place, text, 'what never reached a backend, as it refused the connection, still goes to another one')
  else if (!args.includes('error') || !args.includes('timeout'))
    report.leaveOut(place, text, 'both errors and timeouts are retried; they cannot be told apart')
  return args.includes('off') ? ['off'] : args
}

/** How often a request goes on to the next server, and which ones do. */
export function retryOf(scope: Scope, servers: number, report: Report): TreeObject {
  const conditions = conditionsOf(scope, report)
  const [tries, timeout] = [scope.get('proxy_next_upstream_tries'), scope.get('proxy_next_upstream_timeout')]
  if (timeout !== undefined && durationOf(timeout.args[0] ?? '', 's') !== 0)
    report.leaveOut(timeout.place, textOf(timeout), 'retries have no time limit of their own')
  const most = Number(tries?.args[0] ?? 0) || Infinity
  const attempts = conditions.includes('off') ? 0 : Math.max(0, Math.min(most, servers, 11) - 1)
  if (attempts < Math.min(most, servers) - 1 && !conditions.includes('off') && tries !== undefined)
    report.differs(tries.place, textOf(tries), 'at most 10 retries')
  const given = scope.get('proxy_next_upstream')
  const statuses = statusesOf(conditions)
  return {
    attempts:
      given === undefined
        ? byDefault('nginx', attempts, 'proxy_next_upstream error timeout: each server once')
        : fromLine(given.place, attempts, textOf(given)),
    methods: byDefault(
      'nginx',
      conditions.includes('non_idempotent') ? [...safeMethods, ...unsafeMethods] : safeMethods,
      'proxy_next_upstream retries all methods except POST, PATCH and LOCK (unless non_idempotent)',
    ),
    statuses: statuses.length === 0 ? undefined : statuses,
    budget: byDefault('nginx', { ratio: 1, floor: 1_000_000 }, 'retries have no budget'),
  }
}
