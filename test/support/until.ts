import { setTimeout as after } from 'node:timers/promises'

/** Waits for a condition, looking again and again; gives up with an error that names it. */
export async function until(what: string, holds: () => boolean, patience = 10_000): Promise<void> {
  const deadline = performance.now() + patience
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${patience} ms in vain until ${what}`)
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await after(1)
  }
}
