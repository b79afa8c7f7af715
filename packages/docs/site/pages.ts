import { globSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

/** The repository. */
export const root = join(import.meta.dirname, '..', '..', '..')

/** This package, within the repository. */
const docs = 'packages/docs/'

/** Markdown that the site does not show: how this package works is for those who work on it. */
const hidden = new Set([`${docs}README.md`])

/**
 * The place on the site of a Markdown file of the repository: `packages/docs/guide/files.md` is `guide/files.md`,
 * `packages/mirror/README.md` is `packages/mirror.md`. Undefined if the site does not show it.
 */
export function placeOf(file: string): string | undefined {
  if (hidden.has(file)) return undefined
  if (file === 'CHANGELOG.md') return 'changelog.md'
  if (file.startsWith(docs)) return file.slice(docs.length)
  return /^packages\/([\w-]+)\/README\.md$/.exec(file)?.[1]?.replace(/^.*$/, 'packages/$&.md')
}

/** Every Markdown file that the site shows. */
export function pageFiles(): string[] {
  const files = globSync(['CHANGELOG.md', 'packages/*/README.md', `${docs}*.md`, `${docs}{guide,reference}/**/*.md`], {
    cwd: root,
  })
  return files.filter((file) => placeOf(file) !== undefined).sort()
}

/** Every example: programs, sites and simulations. Each has a page of its own on the site. */
export function exampleFiles(): string[] {
  return globSync('examples/{*.ts,*/*.yaml}', { cwd: root }).sort()
}

/** The name of the page of an example: `examples/sites/tls.yaml` is `sites-tls`. */
export const exampleName = (file: string) =>
  file
    .replace(/^examples\//, '')
    .replaceAll('/', '-')
    .replace(/\.\w+$/, '')

/** Where a link leads. */
export interface Destination {
  /** The file or folder of the repository; a folder stands for its README. */
  readonly file: string
  /** Without `#`; empty for the page as a whole. */
  readonly anchor: string
  /** Its address on the site; undefined if the site does not have it. */
  readonly address: string | undefined
}

function isFolder(path: string): boolean {
  return statSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() === true
}

function addressOf(file: string): string | undefined {
  if (file === 'README.md') return '/'
  if (file === 'examples' || file.startsWith('examples/')) {
    return exampleFiles().includes(file) ? `/examples/${exampleName(file)}` : '/reference/examples'
  }
  const place = placeOf(file)
  return place === undefined ? undefined : `/${place.replace(/(?:^|(?<=\/))index\.md$/, '').replace(/\.md$/, '')}`
}

/** Follows a link in a Markdown file of the repository. Undefined for one that leads out of the repository. */
export function follow(from: string, link: string): Destination | undefined {
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(link)) return undefined
  const [path = '', hash = ''] = link.split('#')
  let file = path === '' ? from : normalize(join(dirname(from), decodeURI(path))).replace(/\/$/, '')
  if (isFolder(file) && !file.startsWith('examples')) file = join(file, 'README.md')
  const address = addressOf(file)
  // On the forge, `#readme` is the README below the list of files.
  const anchor = hash === 'readme' || file === 'README.md' ? '' : decodeURIComponent(hash)
  return { file, anchor, address: address === undefined ? undefined : `${address}${anchor === '' ? '' : `#${anchor}`}` }
}
