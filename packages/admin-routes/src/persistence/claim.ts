import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { realPathOf } from './whole-file.ts'

/** The files that this process keeps, by their real paths. */
const claimed = new Set<string>()

/**
 * Takes a file, by whatever path, for oneself: two that write the same one undo each other's changes. The answer gives it
 * back; undefined if it is somebody else's. @throws what the file system says of its folder
 */
export async function claim(path: string): Promise<(() => void) | undefined> {
  const file = await realPathOf(path)
  const real = join(await realpath(dirname(file)), basename(file))
  if (claimed.has(real)) return undefined
  claimed.add(real)
  let isOurs = true
  return () => {
    if (isOurs) claimed.delete(real)
    isOurs = false
  }
}
