import type { Subject } from './subject.ts'

type Installable = Pick<Subject, 'name' | 'title' | 'version'>

/**
 * Those of `all` that are asked for by name and installed, and the titles of those that are not.
 * @throws Error when nothing is left
 */
export function installedOf<One extends Installable>(
  all: readonly One[],
  names: readonly string[],
): { readonly installed: readonly One[]; readonly skipped: readonly string[] } {
  const wanted = all.filter(({ name }) => names.includes(name))
  const installed = wanted.filter((subject) => subject.version() !== undefined)
  if (installed.length === 0) throw new Error('None of these subjects is installed')
  return { installed, skipped: wanted.filter((subject) => !installed.includes(subject)).map(({ title }) => title) }
}
