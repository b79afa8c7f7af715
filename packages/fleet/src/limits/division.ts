// Room `limits`: what all instances together may have in flight to a backend, divided over them.

/** One that gets a share. */
export interface Party {
  readonly id: string
  /** How many requests it could have in flight. */
  readonly wants: number
  /** It also gets its part of what nobody wants. */
  readonly takesRest: boolean
}

/**
 * Divides `total` places: each party gets at least 1, even if that is more than there is; then what it wants, and if there
 * is too little, those that want least first (max-min fairness); the rest is divided evenly.
 */
export function divide(total: number, parties: readonly Party[]): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  let left = Math.max(0, total - parties.length)
  const modestFirst = parties.toSorted((one, other) => one.wants - other.wants || (one.id < other.id ? -1 : 1))
  for (const [index, { id, wants }] of modestFirst.entries()) {
    const more = Math.min(Math.max(0, wants - 1), Math.floor(left / (parties.length - index)))
    shares.set(id, 1 + more)
    left -= more
  }
  const takers = modestFirst.filter(({ takesRest }) => takesRest)
  const receivers = (takers.length > 0 ? takers : modestFirst).toSorted((one, other) => (one.id < other.id ? -1 : 1))
  for (const [index, { id }] of receivers.entries()) {
    const part = Math.ceil(left / (receivers.length - index))
    shares.set(id, shares.get(id)! + part)
    left -= part
  }
  return shares
}
