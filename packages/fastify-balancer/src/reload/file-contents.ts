import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** What a file holds, by its hash; why it cannot be read, if that is so. Times of change are not to be trusted. */
async function contentOf(file: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('base64')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable'
  }
}

/** What each of these files holds now. */
export async function contentsOf(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(files.map(async (file) => [file, await contentOf(file)] as const)))
}

/** A link may lead to another; a circle of links ends here. */
const mostLinks = 16

/**
 * Every folder in which something may change what a file holds: its own, and that of each link on the way to it. Kubernetes
 * swaps the link `..data` beside a link to `..data/file`.
 */
export async function foldersOf(file: string, links = mostLinks): Promise<readonly string[]> {
  const folders = new Set<string>()
  let path = resolve(file)
  for (let left = links; left > 0 && path !== dirname(path); left--) {
    folders.add(dirname(path))
    // The last part of a path may be a plain file in a folder that is a link.
    // oxlint-disable-next-line no-await-in-loop -- one link leads to the next
    const link = await firstLink(path)
    if (link === undefined) break
    folders.add(dirname(link.at))
    path = link.to
  }
  return [...folders]
}

/** The first part of a path that is a link, and the path with what that stands for. */
async function firstLink(path: string): Promise<{ readonly at: string; readonly to: string } | undefined> {
  const parts = path.split('/')
  for (let count = 2; count <= parts.length; count++) {
    const at = parts.slice(0, count).join('/')
    try {
      // oxlint-disable-next-line no-await-in-loop -- from the root on
      const link = await readlink(at)
      return { at, to: resolve(dirname(at), link, ...parts.slice(count)) }
    } catch {
      // It is no link.
    }
  }
  return undefined
}
