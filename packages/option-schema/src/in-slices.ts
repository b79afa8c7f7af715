import { setImmediate } from 'node:timers/promises'

/** Length of a slice (ms): others wait hardly longer than this, however long the work. */
const slice = 10

/** At least this many items in one slice: reading the clock costs something too. */
const step = 64

/** Processes a list in order, in slices; in between, requests and timers have their turn. */
export async function inSlices<Item>(items: readonly Item[], each: (item: Item, index: number) => void): Promise<void> {
  let since = performance.now()
  for (const [index, item] of items.entries()) {
    each(item, index)
    if (index % step < step - 1 || performance.now() - since < slice) continue
    // oxlint-disable-next-line no-await-in-loop -- others have their turn
    await setImmediate()
    since = performance.now()
  }
}

/** As `Buffer.concat` does it, slice by slice. */
export async function concatInSlices(parts: readonly Buffer[]): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  await inSlices(parts, (part) => void (end += part.copy(whole, end)))
  return whole
}
