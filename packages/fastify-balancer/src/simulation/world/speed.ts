/** A time in which a server is slower, once or again and again. Times of the scenario in ms. */
export interface Spell {
  readonly from: number
  /** Infinity if it does not end. */
  readonly length: number
  /** From the beginning of one to that of the next; Infinity for one that comes once. */
  readonly every: number
  /** The share of its speed that is left: 0 = paused. */
  readonly speed: number
}

/** Shorter than this (ms) is a rounding error. */
const instant = 1e-6

/** Whether a spell is on, and when that changes. */
function stateAt({ from, length, every }: Spell, time: number): { readonly isOn: boolean; readonly changesAt: number } {
  if (time < from) return { isOn: false, changesAt: from }
  const begun = every === Infinity ? from : from + Math.floor((time - from) / every) * every
  if (time < begun + length) return { isOn: true, changesAt: begun + length }
  return { isOn: false, changesAt: begun + every }
}

/** How fast a server works at what time. */
export class Speed {
  readonly #spells: readonly Spell[]

  constructor(spells: readonly Spell[]) {
    this.#spells = spells
  }

  /** When work of `duration` ms at full speed is done that begins at `start`. */
  endOf(start: number, duration: number): number {
    if (this.#spells.length === 0) return start + duration
    let time = start
    for (let left = duration; ;) {
      let speed = 1
      let next = Infinity
      for (const spell of this.#spells) {
        const { isOn, changesAt } = stateAt(spell, time)
        if (isOn) speed *= spell.speed
        next = Math.min(next, changesAt)
      }
      next = Math.max(next, time + instant)
      if (speed > 0 && time + left / speed <= next) return time + left / speed
      left -= (next - time) * speed
      time = next
    }
  }
}
