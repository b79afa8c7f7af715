import { statSync } from 'node:fs'

/**
 * A text by which a change of a file is noticed, also where a link is made to point to another file; `''` for one that
 * is missing or unreadable. Synchronous: it is local, takes microseconds, and must not wait for the threads that
 * look-ups of others may fill.
 */
export function markOf(path: string): string {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path)
    return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`
  } catch {
    return ''
  }
}
