import { createHash } from 'node:crypto'
import type { ProbeOptions } from '../probe/probe-options.ts'

/** Functions and patterns as they are written. */
function written(_key: string, value: unknown): unknown {
  return typeof value === 'function' || value instanceof RegExp ? String(value) : value
}

/**
 * By what a backend is probed, as a digest: headers may hold secrets. Reports of an instance that probes by other terms,
 * while options change, do not count here.
 */
export function termsOf(options: ProbeOptions): string {
  const { type, service, method, path, headers, host, port, expect, probe } = options
  const terms = { type, service, method, path, headers, host, port, expect, probe }
  return createHash('sha256').update(JSON.stringify(terms, written)).digest('hex').slice(0, 12)
}
