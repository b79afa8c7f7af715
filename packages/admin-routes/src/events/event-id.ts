/** Up to which event of each instance something is known: numbers by the epochs of instances, which hold letters and digits. */
export type Seen = ReadonlyMap<string, number>

const part = /^([0-9A-Za-z]+)-(\d{1,15})$/

/** The id of an event: `e-5`, or with several instances `e-5.f-7`. */
export function idOfSeen(seen: Seen): string {
  return [...seen].map(([epoch, number]) => `${epoch}-${number}`).join('.')
}

/** What a client has seen that sends this id; undefined if it is none of ours. */
export function seenIn(id: string): Seen | undefined {
  const parts = id.split('.').map((one) => part.exec(one))
  if (parts.some((one) => one === null)) return undefined
  return new Map(parts.map((one) => [one![1]!, Number(one![2])]))
}
