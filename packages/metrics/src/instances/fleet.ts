// Room `instances`: the metrics of all instances of a fleet, whichever of them is asked.

/** What an instance may be doing. */
export const instanceStates = ['starting', 'ready', 'draining'] as const

/** Values that instances have left behind. */
export interface Legacy<Value> {
  /** Keeps what is read at this moment or later. */
  save(): Promise<void>
  /** What all instances but these were last known to have, merged. */
  departed(known: ReadonlySet<string>): Promise<Value | undefined>
}

/** The fleet that this server takes part in, as far as it is used here. By shape, since that package is optional. */
export interface FleetView {
  readonly id: string
  readonly instances: readonly {
    readonly id: string
    readonly state: (typeof instanceStates)[number]
    readonly about: Readonly<Record<string, unknown>>
  }[]
  ask<Answer>(
    topic: string,
    question: unknown,
    how: { readonly whom: readonly string[]; readonly timeout: number },
  ): Promise<{ readonly answers: ReadonlyMap<string, Answer> }>
  answer(topic: string, answer: () => unknown): () => void
  tell(name: string, read: () => unknown): () => void
  legacy<Value>(name: string, parts: { read(): Value; merge(one: Value, other: Value): Value }): Legacy<Value>
}

/** The fleet of a server; undefined if it is alone. */
export function fleetOf(app: object): FleetView | undefined {
  return (app as { readonly fleet?: FleetView }).fleet
}
