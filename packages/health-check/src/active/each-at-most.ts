/**
 * Starts something for each item, in order, at most `most` at once; each calls `done` once, maybe before it returns.
 * Resolves when all are done.
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
      // Items that are done synchronously must not cause recursion.
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
