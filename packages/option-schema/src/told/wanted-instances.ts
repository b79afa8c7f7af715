/** An instance of a fleet, as far as it is read here. */
interface Told {
  readonly state: string
  readonly about: Readonly<Record<string, unknown>>
}

/** How many of these instances, the oldest first, there should be: as the youngest one that is ready was told; undefined if nobody was. */
export function wantedInstances(all: readonly Told[]): number | undefined {
  const told = all.flatMap(({ state, about: { wanted } }) =>
    state === 'ready' && typeof wanted === 'number' ? wanted : [],
  )
  return told.at(-1)
}
