import { count } from '../figures-text.ts'
import type { AdminEvent } from '../live/events.ts'

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${count(ms / 1000)} s`
}

function transition({ before, after }: AdminEvent): string {
  return typeof before === 'string' && typeof after === 'string' ? `: ${before} → ${after}` : ''
}

function termsText({ deadline, grace, close }: NonNullable<AdminEvent['terms']>): string {
  if (grace !== undefined) return ` (grace ${seconds(grace)}${close === true ? ', then close' : ''})`
  if (deadline === undefined) return ''
  return deadline === 0 ? ' (no deadline)' : ` (deadline ${seconds(deadline)})`
}

function tunnelOf(before: unknown): string {
  const { id, client } = (before ?? {}) as { readonly id?: string; readonly client?: string }
  return id === undefined ? 'a tunnel' : `tunnel ${id} (client ${client})`
}

/** Kinds of changes, as the log of the server words them. */
const sentences: Readonly<Record<string, (event: AdminEvent) => string>> = {
  'backends.replace': () => 'replaced the backends',
  'backends.rollback': () => 'rolled back the backends',
  'backend.add': ({ backend }) => `added backend ${backend}`,
  'backend.update': ({ backend }) => `updated backend ${backend}`,
  'backend.remove': ({ backend }) => `removed backend ${backend}`,
  'backend.state': (event) => `set backend ${event.backend}${transition(event)}`,
  'backend.probe': ({ backend, after }) => `probed backend ${backend}${typeof after === 'string' ? `: ${after}` : ''}`,
  'circuit.hold': (event) => `set the circuit of backend ${event.backend}${transition(event)}`,
  'circuit.release': (event) => `released the circuit of backend ${event.backend}${transition(event)}`,
  'tunnel.close': ({ backend, before }) => `closed ${tunnelOf(before)} of backend ${backend}`,
  'server.state': (event) => `set the server${transition(event)}`,
}

/** A change by an operator in words: `maria set backend b2: ready → drain (deadline 30 s)`. */
export function changeText(event: AdminEvent): string {
  const { who = 'somebody', what, terms = {} } = event
  const sentence = sentences[what]?.(event) ?? `changed something (${what})`
  return `${who} ${sentence}${termsText(terms)}`
}
