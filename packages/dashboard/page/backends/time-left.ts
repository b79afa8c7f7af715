import { age } from '../figures-text.ts'

/** How long something will still last, in words: `in 23 s`. */
export function left(until: number, at: number): string {
  const ms = Math.ceil((until - at) / 1000) * 1000
  return ms > 0 ? `in ${age(ms)}` : 'any moment'
}
