import type { AdminChange } from './admin-change.ts'
import { shortened } from './shortened.ts'

/** A change, with the deadline that a drain of that balancer has by default (ms). */
export type SentenceParts = Pick<
  AdminChange,
  'what' | 'balancer' | 'backend' | 'before' | 'after' | 'terms' | 'revision'
> & {
  readonly drainDeadline?: number
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`
}

function textOf(value: unknown): string {
  if (value === undefined) return 'none'
  const short = shortened(value)
  return typeof short === 'string' ? short : JSON.stringify(short)
}

/** `weight 1 → 5, zone none → a` */
function differences(before: unknown, after: unknown): string {
  const [from, to] = [before, after] as readonly Readonly<Record<string, unknown>>[]
  const names = Object.keys({ ...from, ...to }).filter(
    (name) => JSON.stringify(from?.[name]) !== JSON.stringify(to?.[name]),
  )
  return names.map((name) => `${name} ${textOf(from?.[name])} → ${textOf(to?.[name])}`).join(', ') || 'no change'
}

function transition({ before, after }: SentenceParts): string {
  return `${textOf(before)} → ${textOf(after)}`
}

/** Only a drain has one; 0 is none. */
function deadlineOf({ after, terms, drainDeadline = 0 }: SentenceParts): string {
  if (after !== 'drain') return ''
  const deadline = terms?.deadline ?? drainDeadline
  return deadline === 0 ? ' (no deadline)' : ` (deadline ${duration(deadline)})`
}

function graceOf({ terms }: SentenceParts): string {
  if (terms?.grace === undefined) return ''
  return ` (grace ${duration(terms.grace)}${terms.close === true ? ', then close' : ''})`
}

/** `tunnel 7 (websocket, client 10.0.0.9)` */
function tunnelOf(before: unknown): string {
  const { id, protocol, client } = before as Readonly<Record<'id' | 'protocol' | 'client', string>>
  return `tunnel ${id} (${protocol}, client ${client})`
}

const sentences: Readonly<Record<AdminChange['what'], (parts: SentenceParts) => string>> = {
  'backends.replace': ({ balancer, revision }) =>
    `replaced the backends of balancer ${balancer} (revision ${revision})`,
  'backends.rollback': ({ balancer, revision }) =>
    `rolled back the backends of balancer ${balancer} (revision ${revision})`,
  'backend.add': ({ backend, revision }) => `added backend ${backend} (revision ${revision})`,
  'backend.update': ({ backend, before, after }) => `updated backend ${backend}: ${differences(before, after)}`,
  'backend.remove': ({ backend, revision }) => `removed backend ${backend} (revision ${revision})`,
  'backend.state': (parts) => `set backend ${parts.backend}: ${transition(parts)}${deadlineOf(parts)}`,
  'backend.probe': ({ backend, after }) => `probed backend ${backend}: ${textOf(after)}`,
  'circuit.hold': (parts) => `set the circuit of backend ${parts.backend}: ${transition(parts)}`,
  'circuit.release': (parts) => `released the circuit of backend ${parts.backend}: ${transition(parts)}`,
  'tunnel.close': ({ backend, before }) => `closed ${tunnelOf(before)} of backend ${backend}`,
  'server.state': (parts) => `set the server: ${transition(parts)}${graceOf(parts)}`,
}

/** What was done, as it stands in the log after the name of the operator: `set backend b2: ready → drain (deadline 30 s)`. */
export function auditSentence(parts: SentenceParts): string {
  return sentences[parts.what](parts)
}
