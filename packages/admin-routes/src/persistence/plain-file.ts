import { constants, type Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'

function kindIn(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a FIFO'
  return stats.isSocket() ? 'a socket' : 'a device'
}

/** What a path leads to, if not a plain file: 'a folder', …; undefined for a file, or nothing. */
export async function kindOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats && kindIn(stats)
}

/**
 * Reads a whole file. With `O_NONBLOCK`, since opening a FIFO would otherwise block until something writes into it.
 * @throws the file system's error, or an Error with the code `EFTYPE` if it is not a plain file
 */
export async function readPlain(path: string): Promise<Uint8Array> {
  // Windows has no O_NONBLOCK.
  const file = await open(path, constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0))
  try {
    if (kindIn(await file.stat()) !== undefined) throw Object.assign(new Error('not a plain file'), { code: 'EFTYPE' })
    return await file.readFile()
  } finally {
    await file.close()
  }
}
