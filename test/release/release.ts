// Packs every public package as npm shall have it, and publishes them in order where that is asked for: `pnpm release`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { pnpm } from '../support/pnpm.ts'
import { webOf, type Source } from './forge.ts'
import { manifestIn, publicPackages, withOrigin, type Manifest, type PublicPackage } from './public-packages.ts'
import { isForgeRunner, obstacles } from './readiness.ts'
import { standingAlone } from './standing-alone.ts'

const help = `Usage: pnpm release [--publish]

Builds and packs all public packages, in the order in which they need each other, as npm shall have them: with where
their source is, by \`repository\` of the workspace's package.json, and links that work anywhere. Says what stands in the
way of a release (exit code 1).

  --publish  publishes them, with provenance, if nothing stands in the way: only on a forge's runner. What is published
             already is left out, so a release that broke off can be run again
`

const root = process.cwd()
const { values } = parseArgs({ options: { publish: { type: 'boolean', default: false }, help: { type: 'boolean' } } })

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

const isFolder = (path: string) => statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false

/** Builds it, and answers the folder of what npm shall have. Without a source, links stay as they are. */
function stage({ folder }: PublicPackage, place: string, source: Source | undefined): string {
  const own = join(place, basename(folder))
  mkdirSync(own, { recursive: true })
  run(...pnpm('pack', '--pack-destination', own), join(root, folder))
  run('tar', ['-xzf', readdirSync(own).find((file) => file.endsWith('.tgz'))!], own)
  const staged = join(own, 'package')
  if (source !== undefined) {
    const manifest = JSON.parse(readFileSync(join(staged, 'package.json'), 'utf8')) as Manifest
    writeFileSync(
      join(staged, 'package.json'),
      `${JSON.stringify(withOrigin(manifest, folder, source), undefined, 2)}\n`,
    )
    const readme = readFileSync(join(staged, 'README.md'), 'utf8')
    writeFileSync(join(staged, 'README.md'), standingAlone(readme, { source, folder, isFolder }))
  }
  return staged
}

function isPublished({ manifest: { name, version } }: PublicPackage): boolean {
  try {
    return run('npm', ['view', `${name}@${version}`, 'version'], root).trim() === version
  } catch {
    return false
  }
}

function publish(staged: string, { version }: Manifest): void {
  const tag = version.includes('-') ? 'next' : 'latest'
  run('npm', ['publish', staged, '--provenance', '--access', 'public', '--tag', tag, '--ignore-scripts'], root)
}

function release(): number {
  const packages = publicPackages(root)
  const found = obstacles(root, packages)
  const refused =
    values.publish && !isForgeRunner(process.env)
      ? ['only the runner of a forge can sign where a package comes from']
      : []
  for (const obstacle of [...found, ...refused]) process.stdout.write(`in the way: ${obstacle}\n`)
  if (values.publish && found.length + refused.length > 0) return 1

  const { repository } = manifestIn(root)
  const tag = `v${packages[0]!.manifest.version}`
  const source = repository === undefined ? undefined : { web: webOf(repository), tag }
  const place = mkdtempSync(join(tmpdir(), 'release-'))
  for (const one of packages) {
    const { name, version } = one.manifest
    const staged = stage(one, place, source)
    const isNew = values.publish && !isPublished(one)
    if (isNew) publish(staged, one.manifest)
    process.stdout.write(`${isNew ? 'published' : values.publish ? 'was there: ' : 'packed'} ${name} ${version}\n`)
  }
  if (!values.publish) process.stdout.write(`nothing is published; packages are in ${place}\n`)
  return found.length > 0 ? 1 : 0
}

if (values.help === true) process.stdout.write(help)
else process.exitCode = release()
