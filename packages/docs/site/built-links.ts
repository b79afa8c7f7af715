import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Every link of the built site that leads nowhere, with the page that has it. */
function deadLinks(folder: string): string[] {
  const pages = new Map<string, string>(
    globSync('**/*.html', { cwd: folder }).map((file) => {
      const html = readFileSync(join(folder, file), 'utf8')
      return [`/${file.replace(/(?:^|(?<=\/))index\.html$/, '').replace(/\.html$/, '')}`, html] as const
    }),
  )
  const ids = new Map(
    [...pages].map(([page, html]) => [page, new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!))]),
  )
  return [...pages].flatMap(([page, html]) =>
    [...html.matchAll(/<a [^>]*?href="([^"]+)"/g)]
      .map(([, href]) => href!.replaceAll('&amp;', '&'))
      .filter((href) => href.startsWith('/') || href.startsWith('#'))
      .filter((href) => {
        const [path, anchor] = href.split('#')
        const there = ids.get(path === '' ? page : path!)
        return there === undefined || (anchor !== undefined && anchor !== '' && !there.has(decodeURIComponent(anchor)))
      })
      .map((href) => `${page}: ${href}`),
  )
}

/** @throws Error that names every link that leads nowhere */
export function checkBuiltLinks(folder: string): void {
  const dead = [...new Set(deadLinks(folder))]
  if (dead.length > 0) throw new Error(`links of the site that lead nowhere:\n${dead.join('\n')}`)
}
