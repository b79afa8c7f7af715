import { faultsOfRegister } from '../plugin/options.ts'
import type { BalancerOptions } from '../plugin/options.ts'
import { within, type PlacedFault } from './document/fault.ts'
import { isPlain } from './schema/applied.ts'

/**
 * The pointer to what a plugin calls `backends.0.url`, below `pointer`. Names may hold dots, so the longest one that is
 * there is taken.
 */
export function pointerOf(place: string, value: unknown, pointer = ''): string {
  const parts = place.split('.')
  for (let count = parts.length; count > 0; count--) {
    const name = parts.slice(0, count).join('.')
    const part: unknown =
      isPlain(value) || Array.isArray(value) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
    if (part !== undefined || count === 1) {
      const own = within(pointer, name)
      return count === parts.length ? own : pointerOf(parts.slice(count).join('.'), part, own)
    }
  }
  return pointer
}

/** What the plugins find wrong with the options of a balancer, or with those around it, at their places below `pointer`. */
export function registerFaults(options: BalancerOptions, pointer: string): readonly PlacedFault[] {
  return faultsOfRegister(options).map((fault) => {
    const [, place, message] = /^([^\s:]\S*): (.*)$/s.exec(fault) ?? []
    if (place === undefined || message === undefined) return { pointer, message: fault }
    return { pointer: pointerOf(place, options, pointer), message }
  })
}
