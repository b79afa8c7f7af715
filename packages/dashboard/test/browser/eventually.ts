import { inspect } from 'node:util'
import { setTimeout as after } from 'node:timers/promises'

/**
 * Looks again and again, until what it sees is as it should be; answers that. Gives up after `patience` ms with an error
 * that says what was seen last.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T> | T,
  holds: (seen: T) => boolean,
  patience = 60_000,
): Promise<T> {
  const deadline = performance.now() + patience
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (performance.now() > deadline)
      throw new Error(`waited ${patience} ms in vain until ${what}; last seen: ${inspect(seen)}`)
    await after(20)
  }
}
