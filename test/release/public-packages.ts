import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { addressOf, type Source } from './forge.ts'

/** What a release needs of a manifest. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly repository?: string | { readonly url?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A package that is published. */
export interface PublicPackage {
  /** In the repository: `packages/metrics`. */
  readonly folder: string
  readonly manifest: Manifest
}

export function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** All that are published, each after those that it needs: one that is installed in the middle of a release finds the others. */
export function publicPackages(root: string): readonly PublicPackage[] {
  const all = globSync('packages/*/package.json', { cwd: root })
    .toSorted()
    .map((file) => ({ folder: dirname(file), manifest: manifestIn(join(root, dirname(file))) }))
    .filter(({ manifest }) => manifest.private !== true)
  const ordered = new Set<PublicPackage>()
  const add = (one: PublicPackage, path: readonly string[] = []) => {
    const { name, dependencies, peerDependencies } = one.manifest
    if (path.includes(name)) throw new Error(`packages need each other: ${[...path, name].join(' → ')}`)
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) {
      const other = all.find(({ manifest }) => manifest.name === needed)
      if (other !== undefined && !ordered.has(other)) add(other, [...path, name])
    }
    ordered.add(one)
  }
  for (const one of all) if (!ordered.has(one)) add(one)
  return [...ordered]
}

/** A manifest with what npm shows of where it comes from. */
export function withOrigin<Given extends Manifest>(manifest: Given, folder: string, source: Source) {
  return {
    ...manifest,
    repository: { type: 'git', url: `git+${source.web}.git`, directory: folder },
    homepage: `${addressOf(source, folder, 'tree')}#readme`,
    bugs: { url: `${source.web}/issues` },
  }
}
