import type { Stats } from 'node:fs'
import { open, readlink, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** What nobody else may read, unless the file that is there says otherwise. */
const privately = 0o600

/** What a symbolic link leads to in the end, also when that is not there yet. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const next = await readlink(path).catch(() => undefined)
  return next === undefined ? path : realPathOf(resolve(dirname(path), next))
}

/** Who may do what with it stays as it was; where we may not give a file away, it is ours. */
async function inherit(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat()
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => {})
  await file.chmod(mode & 0o777)
}

/** Without this, a power cut could take the new name back. Windows knows no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Puts `text` in place of what a file says: whoever reads it, and whenever the power fails, finds all of the one or all of
 * the other. It has reached the disk when the promise resolves. One caller at a time. @throws what the file system says
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const real = await realPathOf(path)
  const draft = `${real}.tmp`
  const before = await stat(real).catch(() => undefined)
  // One that a killed process has left.
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', privately)
  try {
    try {
      if (before !== undefined) await inherit(file, before)
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, real)
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {})
    throw error
  }
  await syncFolder(dirname(real))
}
