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

/** `: deploying` */
function reasonOf({ terms: { reason } = {} }: SentenceParts): string {
  return reason === undefined ? '' : `: ${reason}`
}

/** Of a removal, only one of its own. */
function removalOf({ revision, terms }: SentenceParts): string {
  const { deadline } = terms ?? {}
  const until = deadline === undefined ? '' : `, ${deadline === 0 ? 'no deadline' : `deadline ${duration(deadline)}`}`
  return ` (revision ${revision}${until})`
}

/** ` (for 60 s: deploying)` */
function holdOf({ terms: { ttl, reason } = {} }: SentenceParts): string {
  const parts = [ttl === undefined ? '' : `for ${duration(ttl)}`, reason ?? ''].filter((part) => part !== '')
  return parts.length === 0 ? '' : ` (${parts.join(': ')})`
}

interface Named {
  readonly id: string
}

/** More ids of a kind are only counted. */
const mostIds = 5

function idsText(word: string, backends: readonly Named[]): string[] {
  if (backends.length === 0) return []
  const more = backends.length - mostIds
  const ids = backends.slice(0, mostIds).map(({ id }) => id)
  return [`${word} ${ids.join(', ')}${more > 0 ? ` and ${more} more` : ''}`]
}

/** `: added b4, changed b2`; nothing where the list before is no longer known. */
function listDifference({ before, after }: SentenceParts): string {
  if (!Array.isArray(before) || !Array.isArray(after)) return ''
  const earlier = new Map((before as Named[]).map((one) => [one.id, one]))
  const now = after as Named[]
  const known = new Set(now.map(({ id }) => id))
  const parts = [
    ...idsText(
      'added',
      now.filter(({ id }) => !earlier.has(id)),
    ),
    ...idsText(
      'removed',
      [...earlier.values()].filter(({ id }) => !known.has(id)),
    ),
    ...idsText(
      'changed',
      now.filter((one) => earlier.has(one.id) && JSON.stringify(earlier.get(one.id)) !== JSON.stringify(one)),
    ),
  ]
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`
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
  'backends.replace': (parts) =>
    `replaced the backends of balancer ${parts.balancer} (revision ${parts.revision})${listDifference(parts)}`,
  'backends.rollback': (parts) =>
    `rolled back the backends of balancer ${parts.balancer} (revision ${parts.revision})${listDifference(parts)}`,
  'backend.add': ({ backend, revision }) => `added ${backend} (revision ${revision})`,
  'backend.update': ({ backend, before, after }) => `changed ${backend}: ${differences(before, after)}`,
  'backend.remove': (parts) => `removed ${parts.backend}${removalOf(parts)}`,
  'backend.state': (parts) => `set ${parts.backend}: ${transition(parts)}${deadlineOf(parts)}${reasonOf(parts)}`,
  'backend.probe': ({ backend, after }) => `probed ${backend}: ${textOf(after)}`,
  'circuit.hold': (parts) => `set the circuit of ${parts.backend}: ${transition(parts)}${holdOf(parts)}`,
  'circuit.release': (parts) => `released the circuit of ${parts.backend}: ${transition(parts)}`,
  'tunnel.close': ({ backend, before }) => `closed ${tunnelOf(before)} of ${backend}`,
  'server.state': (parts) => `set the server: ${transition(parts)}${graceOf(parts)}`,
  'server.restart': ({ after }) => `restarted the workers: ${textOf(after)}`,
}

/** What was done, as it stands in the log after the name of the operator: `set b2: ready → drain (deadline 30 s)`. */
export function auditSentence(parts: SentenceParts): string {
  return sentences[parts.what](parts)
}
