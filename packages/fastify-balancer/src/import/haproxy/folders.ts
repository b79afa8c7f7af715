import { resolve } from 'node:path'
import type { Section } from './section.ts'

/** Where HAProxy looks for files whose path is relative: `crt-base` and `ca-base`. */
export interface Folders {
  readonly crt: string
  readonly ca: string
}

/** Those of the `global` section; without them, the folder that HAProxy is started in, for which we take ours. */
export function foldersOf(sections: readonly Section[]): Folders {
  const global = sections.find(({ kind }) => kind === 'global')
  const folder = (name: string) => resolve(global?.get(name)?.words[1] ?? '.')
  return { crt: folder('crt-base'), ca: folder('ca-base') }
}
