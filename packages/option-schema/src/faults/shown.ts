import { quoted } from '../quoted.ts'

/** Longer texts are cut: a fault is one line. */
const longest = 40

/** Where texts may be secrets. */
const secretPlaces = /secret|token|passw|authoriz|cookie|credential|headers\.|\bkey\b|\bca\b|\bcert/i

/** A value as an error shows it: short, on one line, and not if it may be a secret. */
export function shown(value: unknown, place = ''): string {
  if (Array.isArray(value)) return 'an array'
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'function':
      return 'a function'
    case 'object':
      return value === null ? 'null' : 'an object'
    case 'string':
      return secretPlaces.test(place) ? 'a string' : shortened(value)
    default:
      return String(value)
  }
}

/** The same where no text would do: what a text says is of no use then, and may be a secret that is in the wrong place. */
export function shownKind(value: unknown): string {
  return typeof value === 'string' ? 'a string' : shown(value)
}

function shortened(text: string): string {
  const line = quoted(text).replaceAll(/[\p{Cc};]+/gu, ' ')
  return line.length > longest + 2 ? `${line.slice(0, longest)}…'` : line
}
