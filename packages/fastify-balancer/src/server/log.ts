import type { prettyFactory } from 'pino-pretty'
import type { Configuration, LogForm } from '../configuration/configuration.ts'
import { LogFile } from './log-file.ts'

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

/** The form of the log; where none was asked for, a person reads a terminal, a program everything else. */
function formOf({ form, file }: Configuration['log']): LogForm {
  return form ?? (process.stdout.isTTY && file === undefined ? 'pretty' : 'json')
}

/** Is the log written for a person to read? */
export function isForPeople(log: Configuration['log']): boolean {
  return formOf(log) === 'pretty'
}

/** A log that is open. */
export interface Log {
  readonly logger: Logger
  /** Undefined on standard output. */
  readonly file: LogFile | undefined
}

/** Opens what was asked for. @throws CommandError when its file cannot be opened */
export async function openLog(log: Configuration['log']): Promise<Log> {
  const { level = 'info', file: path } = log
  const form = formOf(log)
  if (form === 'off') return { logger: false, file: undefined }
  const file =
    path === undefined
      ? undefined
      : new LogFile(path, (line) => void process.stderr.write(`fastify-balancer: ${line}\n`))
  const write = file === undefined ? (line: string) => void process.stdout.write(line) : file.write.bind(file)
  if (form === 'json') return { logger: { level, stream: { write } }, file }
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({
    colorize: file === undefined && isColoured(),
    ignore:
      'pid,hostname,reqId,balancer,outcome,failed,method,url,status,duration,attempts,backend,by,evidence,reason,openings,changesIn,reload,backends,available,eligible,refused,reasons,waiting,max,busy',
    messageFormat,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return { logger: { level, stream: { write: (line) => write(pretty(line)) } }, file }
}
