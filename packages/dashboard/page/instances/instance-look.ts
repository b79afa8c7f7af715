import type { Fleet, Instance } from '../live/fleet.ts'

/** How an instance is, in a word. */
export type Look = Instance['state'] | 'silent'

/** How an instance is: one that does not answer may be anything. One that is starting cannot yet. */
export function lookOf({ state, answered }: Pick<Instance, 'state' | 'answered'>): Look {
  return answered || state === 'starting' ? state : 'silent'
}

const looks: readonly Look[] = ['ready', 'starting', 'draining', 'silent']

/** How many instances are how: `3 ready, 1 starting`; `1 of 2 ready` where there should be more. */
export function countsText({ instances, wanted }: Fleet): string {
  const counts = looks.map((look) => [instances.filter((one) => lookOf(one) === look).length, look] as const)
  return counts
    .filter(([count, look]) => count > 0 || (look === 'ready' && wanted !== undefined))
    .map(([count, look]) =>
      look === 'ready' && wanted !== undefined ? `${count} of ${wanted} ready` : `${count} ${look}`,
    )
    .join(', ')
}
