/** The anchor of a heading, as GitHub and Forgejo make it: the site does likewise, so that one link is good for both. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/** The text of a heading without its markup. */
function plain(heading: string): string {
  return heading
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
}

/** Markdown without its blocks of code. */
export function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^( *)(`{3,}|~{3,}).*?^\1\2.*?$/gms, '')
}

/** Everything in a page that a link can lead to: its headings, and elements with an id. */
export function anchorsIn(markdown: string): ReadonlySet<string> {
  const text = withoutCode(markdown)
  const anchors = new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!))
  const seen = new Map<string, number>()
  for (const [, heading] of text.matchAll(/^#{1,6} (.+?)(?: #+)?$/gm)) {
    const slug = slugOf(plain(heading!))
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}
