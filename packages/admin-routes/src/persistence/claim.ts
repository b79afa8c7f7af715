import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { realPathOf } from './whole-file.ts'

/** The files in use by this process, by their real paths. */
const claimed = new Set<string>()

/**
 * Reserves a file, whatever path leads to it: two writers would undo each other's changes. Returns a function that releases
 * it, or undefined if it is already reserved. Instances that act as one, of which one writes, do not exclude each other. @throws the file system's error about its folder
 */
export async function claim(path: string, instance = ''): Promise<(() => void) | undefined> {
  const file = await realPathOf(path)
  const real = join(await realpath(dirname(file)), basename(file)) + instance
  if (claimed.has(real)) return undefined
  claimed.add(real)
  let isOurs = true
  return () => {
    if (isOurs) claimed.delete(real)
    isOurs = false
  }
}
