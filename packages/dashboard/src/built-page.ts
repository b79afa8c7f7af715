import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { NotBuiltError } from './errors.ts'

/** Files in there have a name that changes with their content. */
export const assets = 'assets'

/**
 * The folder that the page was built into: the same place from the source and from what is published.
 * @throws NotBuiltError
 */
export function builtPage(): string {
  const folder = join(import.meta.dirname, '..', 'dist', 'page')
  const index = join(folder, 'index.html')
  if (!existsSync(index)) throw new NotBuiltError(index)
  return folder
}
