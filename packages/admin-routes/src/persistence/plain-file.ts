import { constants, type Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'

function kindIn(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined
  if (stats.isDirectory()) return 'a folder'
  if (stats.isFIFO()) return 'a FIFO'
  return stats.isSocket() ? 'a socket' : 'a device'
}

/** What is at a path, or where it leads to, if that is something else than a file; undefined also where nothing is. */
export async function kindOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined)
  return stats && kindIn(stats)
}

/**
 * All of a file. What has taken its place meanwhile is not waited for: without `O_NONBLOCK`, opening a FIFO takes until
 * somebody writes into it. @throws what the file system says, or an Error with the code `EFTYPE`
 */
export async function readPlain(path: string): Promise<Uint8Array> {
  // Windows has no such thing.
  const file = await open(path, constants.O_RDONLY | ((constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0))
  try {
    if (kindIn(await file.stat()) !== undefined) throw Object.assign(new Error('no file'), { code: 'EFTYPE' })
    return await file.readFile()
  } finally {
    await file.close()
  }
}
