import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { webOf } from './forge.ts'
import { manifestIn, type PublicPackage } from './public-packages.ts'

const git = (root: string, ...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

/** Everything that stands in the way of a release, all at once. */
export function obstacles(root: string, packages: readonly PublicPackage[]): readonly string[] {
  const version = packages[0]?.manifest.version ?? ''
  return [
    ...withoutRepository(root),
    ...packages
      .filter(({ manifest }) => manifest.version !== version)
      .map(
        ({ manifest }) => `${manifest.name} is ${manifest.version}, and ${packages[0]!.manifest.name} is ${version}`,
      ),
    ...unwritten(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), version),
    ...(git(root, 'status', '--porcelain') === '' ? [] : ['there are changes that are not committed']),
    ...(git(root, 'tag', '--points-at', 'HEAD').split('\n').includes(`v${version}`)
      ? []
      : [`this commit has no tag v${version}`]),
  ]
}

function withoutRepository(root: string): readonly string[] {
  try {
    webOf(manifestIn(root).repository)
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

/** What a version changes is written under its own heading before it is released. */
function unwritten(changelog: string, version: string): readonly string[] {
  const sections = new Map(
    changelog
      .split(/^## /m)
      .slice(1)
      .map((section) => [/^\S+/.exec(section)![0], section.slice(section.indexOf('\n')).trim()]),
  )
  return [
    ...((sections.get(version) ?? '') === '' ? [`CHANGELOG.md has no entry for ${version}`] : []),
    ...((sections.get('Unreleased') ?? '') === '' ? [] : [`CHANGELOG.md still has changes under "Unreleased"`]),
  ]
}

/** Provenance is signed by a forge's own runner; nobody else can publish. */
export function isForgeRunner(environment: NodeJS.ProcessEnv): boolean {
  const { GITHUB_ACTIONS, ACTIONS_ID_TOKEN_REQUEST_URL, GITLAB_CI, SIGSTORE_ID_TOKEN } = environment
  return (
    (GITHUB_ACTIONS === 'true' && ACTIONS_ID_TOKEN_REQUEST_URL !== undefined) ||
    (GITLAB_CI === 'true' && SIGSTORE_ID_TOKEN !== undefined)
  )
}
