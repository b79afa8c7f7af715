import type { ScenarioBackend } from '../scenario/scenario.ts'
import type { Spell } from './speed.ts'

/** When a backend is slow or paused. */
export function spellsOf({ pauses, slow }: ScenarioBackend): readonly Spell[] {
  const spells: Spell[] = slow.map(({ from, to = Infinity, factor, every = Infinity }) => ({
    from,
    length: to - from,
    every,
    speed: 1 / factor,
  }))
  if (pauses === undefined) return spells
  const { every, for: length, from = every } = pauses
  return [...spells, { from, length, every, speed: 0 }]
}
