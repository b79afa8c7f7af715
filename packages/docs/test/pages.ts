import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../site/pages.ts'

/** A page that somebody has written. */
export interface WrittenPage {
  /** Within the repository. */
  readonly file: string
  readonly text: string
}

function read(pattern: string | string[]): WrittenPage[] {
  const files = globSync(pattern, { cwd: root }).sort()
  return files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
}

/** The tutorial, the guides and the rest that is written by hand. */
export const written = read(['packages/docs/*.md', 'packages/docs/guide/*.md'])

/** The same, and the reference, which is not. */
export const all = [...written, ...read('packages/docs/reference/**/*.md')]
