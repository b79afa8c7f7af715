import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { NotBuiltError } from './errors.ts'

/** The folder of files whose names change with their content. */
export const assets = 'assets'

/**
 * The folder of the built page; the same relative path in the repository and in the published package.
 * @throws NotBuiltError
 */
export function builtPage(): string {
  const folder = join(import.meta.dirname, '..', 'dist', 'page')
  const index = join(folder, 'index.html')
  if (!existsSync(index)) throw new NotBuiltError(index)
  return folder
}
