/**
 * Starts something for each item, in order, with at most `most` under way at once; each calls `done` once, maybe before it
 * returns. Resolves when all have.
 */
export function eachAtMost<Item>(
  most: number,
  items: readonly Item[],
  start: (item: Item, done: () => void) => void,
): Promise<void> {
  return new Promise((resolve) => {
    let next = 0
    let underWay = 0
    let isFilling = false
    function onDone(): void {
      underWay--
      fill()
    }
    function fill(): void {
      // What is done at once must not call itself once for each item.
      if (isFilling) return
      isFilling = true
      while (underWay < most && next < items.length) {
        underWay++
        start(items[next++]!, onDone)
      }
      isFilling = false
      if (underWay === 0) resolve()
    }
    fill()
  })
}
