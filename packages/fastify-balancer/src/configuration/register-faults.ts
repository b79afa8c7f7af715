import { faultsOfRegister, type BalancerOptions } from '../plugin/options.ts'
import { within, type PlacedFault } from './document/fault.ts'
import { isPlain } from './schema/applied.ts'

interface Found {
  readonly pointer: string
  readonly value: unknown
}

function memberOf(value: unknown, name: string): unknown {
  if (!isPlain(value) && !Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

/** What a plugin calls `backends.0.url`. Names may hold dots, so the longest one that is there is taken. */
function find(place: string, { value, pointer }: Found): Found {
  const parts = place.split('.')
  for (let count = parts.length; count > 0; count--) {
    const name = parts.slice(0, count).join('.')
    const member = memberOf(value, name)
    if (member === undefined && count > 1) continue
    const own = { pointer: within(pointer, name), value: member }
    return count === parts.length ? own : find(parts.slice(count).join('.'), own)
  }
  return { pointer, value }
}

/** A fault as the plugins write it, `healthCheck.path: expected …`, at its place below what is `found` already. */
function placedFault(fault: string, found: Found): PlacedFault {
  const [, place, message] = /^([^:]+): (.*)$/s.exec(fault) ?? []
  if (place === undefined || message === undefined) return { pointer: found.pointer, message: fault }
  const part = find(place, found)
  // Some names hold spaces; what is not there is the beginning of a sentence.
  if (/\s/.test(place) && part.value === undefined) return { pointer: found.pointer, message: fault }
  return placedFault(message, part)
}

/** What the plugins find wrong with the options of a balancer, or with those around it, at their places below `pointer`. */
export function registerFaults(options: BalancerOptions, pointer: string): readonly PlacedFault[] {
  return faultsOfRegister(options).map((fault) => placedFault(fault, { pointer, value: options }))
}
