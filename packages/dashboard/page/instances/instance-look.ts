import type { Fleet, Instance } from '../live/fleet.ts'

/** How an instance is, in a word. */
export type Look = Instance['state'] | 'silent'

/** How an instance is: one that tells nothing may be anything. */
export function lookOf({ state, silent }: Instance): Look {
  return silent === undefined ? state : 'silent'
}

const looks: readonly Look[] = ['ready', 'starting', 'draining', 'silent']

/** How many instances are how: `3 ready, 1 starting`. */
export function countsText({ instances }: Fleet): string {
  const counts = looks.map((look) => [instances.filter((one) => lookOf(one) === look).length, look] as const)
  return counts
    .filter(([count]) => count > 0)
    .map(([count, look]) => `${count} ${look}`)
    .join(', ')
}
