import { setImmediate } from 'node:timers/promises'

/** Longest time of work before others get their turn (ms). */
const slice = 5

/** Does work that pauses, in slices: others get their turn in between. */
export async function inTurns<Made>(work: Generator<undefined, Made>): Promise<Made> {
  let since = performance.now()
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
    if (performance.now() - since < slice) continue
    // oxlint-disable-next-line no-await-in-loop -- others have their turn
    await setImmediate()
    since = performance.now()
  }
}

/** Does it at once. */
export function atOnce<Made>(work: Generator<undefined, Made>): Made {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}
