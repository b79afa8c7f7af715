import type { Stats } from 'node:fs'
import { open, readlink, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Mode of a new file: readable by its owner only. An existing file keeps its mode. */
const privately = 0o600

/** The file that a symbolic link leads to in the end, even if it does not exist yet. */
export async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const next = await readlink(path).catch(() => undefined)
  return next === undefined ? path : realPathOf(resolve(dirname(path), next))
}

/** Keeps mode and owner of the old file; if the owner cannot be kept, the file is ours. */
async function inherit(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await file.stat()
  if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch(() => {})
  await file.chmod(mode & 0o777)
}

/** Without this, a power cut could undo the rename. Not possible on Windows. */
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
 * Replaces a file's text atomically: a reader, or a restart after a power cut, finds the old text or the new one, never a
 * mix. It is on disk when the promise resolves. One caller at a time. @throws the file system's error
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const real = await realPathOf(path)
  const draft = `${real}.tmp`
  const before = await stat(real).catch(() => undefined)
  // A killed process may have left one.
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
