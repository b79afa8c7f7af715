import { isIP } from 'node:net'
import { readBackendAddress, type BackendAddress } from '../values/backend-address.ts'
import { policyNames } from '../plugin/policies.ts'
import { integer, oneOf, path } from '../values/plain-values.ts'
import { wrong } from '../values/wrong-arguments.ts'
import type { PolicyName } from '../index.ts'

/** What a new file is made of. */
export interface Answers {
  readonly backends: readonly BackendAddress[]
  readonly port: number
  readonly host: string
  /** Of the balancer. */
  readonly name: string
  readonly policy: PolicyName
  /** Undefined: no health checks. */
  readonly healthPath: string | undefined
  readonly dashboard: boolean
  readonly metrics: boolean
}

/** What is written unless something else is wanted; backends are where many servers listen that are being written. */
export const defaults = {
  backends: 'http://127.0.0.1:3000',
  port: '8080',
  host: '127.0.0.1',
  name: 'web',
  policy: 'round-robin',
  'health-path': '/',
  dashboard: 'no',
  metrics: 'no',
} as const satisfies Readonly<Record<string, string>>

/** The name of an answer: that of its flag. */
export type AnswerName = keyof typeof defaults

function backends(text: string): readonly BackendAddress[] {
  const list = text
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map(readBackendAddress)
  if (list.length === 0) throw wrong('at least one backend is needed, such as http://127.0.0.1:3000')
  const urls = list.map(({ url }) => url)
  const repeated = urls.find((url, index) => urls.indexOf(url) !== index)
  if (repeated !== undefined) throw wrong(`${repeated} is given twice`)
  return list
}

function host(text: string): string {
  if (isIP(text) === 0 && !/^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(text))
    throw wrong(`--host must be an address or a name such as 127.0.0.1, not ${text}`)
  return text
}

function name(text: string): string {
  if (text === '') throw wrong('--name needs a value')
  return text
}

function isYes(text: string): boolean {
  if (/^(?:y|yes|true|on)$/i.test(text)) return true
  if (/^(?:n|no|false|off)$/i.test(text)) return false
  throw wrong(`the answer is yes or no, not ${text}`)
}

const readers: { readonly [Name in AnswerName]: (text: string) => unknown } = {
  backends,
  port: (text) => integer('--port', text, 65_535),
  host,
  name,
  policy: (text) => oneOf('policy', text, policyNames),
  'health-path': (text) => (text === 'off' ? undefined : path('health-path', text)),
  dashboard: isYes,
  metrics: isYes,
}

/** Says what is wrong with an answer, by throwing. @throws CommandError */
export function checkAnswer(answer: AnswerName, text: string): void {
  readers[answer](text)
}

/** The answers, those that were not given by default. @throws CommandError about the first that cannot be used */
export function readAnswers(given: Partial<Record<AnswerName, string>>): Answers {
  const text = (one: AnswerName) => given[one] ?? defaults[one]
  return {
    backends: backends(text('backends')),
    port: integer('--port', text('port'), 65_535),
    host: host(text('host')),
    name: name(text('name')),
    policy: oneOf('policy', text('policy'), policyNames),
    healthPath: readers['health-path'](text('health-path')) as string | undefined,
    dashboard: isYes(text('dashboard')),
    metrics: isYes(text('metrics')),
  }
}
