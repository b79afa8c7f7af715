import type { prettyFactory } from 'pino-pretty'
import type { Configuration, LogForm } from '../configuration/configuration.ts'

type PrettyOptions = NonNullable<Parameters<typeof prettyFactory>[0]>
type MessageFormat = Extract<PrettyOptions['messageFormat'], (...parameters: never[]) => string>

interface LoggedAttempt {
  readonly backend: string
  readonly outcome: string
  readonly status?: number
  readonly ended?: number
  readonly hedge?: true
}

function wayOf({ backend, outcome, status, ended, hedge }: LoggedAttempt): string {
  const how = [
    hedge === true ? 'hedge' : undefined,
    status,
    outcome === 'ok' ? undefined : outcome,
    ended === undefined ? undefined : `${ended} ms`,
  ]
  return ` → ${[backend, ...how.filter((part) => part !== undefined)].join(' ')}`
}

/** The line of an exchange as a person reads it: the request, each attempt, and what the client got if that failed. */
const messageFormat: MessageFormat = (record, messageKey) => {
  const { attempts, method, url, status, outcome } = record
  if (!Array.isArray(attempts)) return String(record[messageKey])
  const way = (attempts as LoggedAttempt[]).map(wayOf).join('')
  return `${String(method)} ${String(url)}${way}${outcome === 'ok' ? '' : ` ⇒ ${String(status)} ${String(outcome)}`}`
}

/** Fastify's option `logger`. */
export type Logger = false | { readonly level: string; readonly stream: { write(line: string): void } }

/** https://no-color.org: any value but none and an empty one. */
function isColoured(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''
}

/** The form of the log where none was asked for: a person reads a terminal, a program everything else. */
function defaultForm(): LogForm {
  return process.stdout.isTTY ? 'pretty' : 'json'
}

/** Is the log written for a person to read? */
export function isForPeople({ form = defaultForm() }: Configuration['log']): boolean {
  return form === 'pretty'
}

/** Fastify's option `logger` for what was asked for, on standard output. */
export async function loggerOf({ form = defaultForm(), level = 'info' }: Configuration['log']): Promise<Logger> {
  if (form === 'off') return false
  if (form === 'json') return { level, stream: { write: (line) => void process.stdout.write(line) } }
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize: isColoured(),
    ignore:
      'pid,hostname,reqId,balancer,outcome,failed,method,url,status,duration,attempts,backend,by,evidence,reason,openings,changesIn,reload,backends,available,eligible,refused,reasons,waiting,max,busy',
    messageFormat,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return { level, stream: { write: (line) => void process.stdout.write(pretty(line)) } }
}
