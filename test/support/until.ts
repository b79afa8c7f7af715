import { setTimeout as after } from 'node:timers/promises'

/** Waits for a condition, looking again and again; gives up with an error that names it. */
export async function until(what: string, holds: () => boolean, patience = 60_000): Promise<void> {
  const deadline = performance.now() + patience
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${patience} ms in vain until ${what}`)
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await after(1)
  }
}

/** Holds once a figure has left 0 and then stayed the same for so many looks. */
export function unchanged(figure: () => number, looks = 50): () => boolean {
  let before = 0
  let same = 0
  return () => {
    const now = figure()
    same = now > 0 && now === before ? same + 1 : 0
    before = now
    return same >= looks
  }
}
