import { renderMermaidSVG } from 'beautiful-mermaid'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { follow, root } from './pages.ts'

/** Drawn when the site is built, in the colours of the site, light or dark. */
function drawn(diagram: string): string {
  const svg = renderMermaidSVG(diagram, {
    bg: 'var(--vp-c-bg)',
    fg: 'var(--vp-c-text-1)',
    accent: 'var(--vp-c-brand-1)',
    muted: 'var(--vp-c-text-2)',
    line: 'var(--vp-c-text-3)',
    surface: 'var(--vp-c-bg-soft)',
    border: 'var(--vp-c-text-3)',
    font: 'inherit',
    transparent: true,
  })
  // No font of another host.
  const own = svg.replaceAll(/@import url\([^)]*\);?/g, '')
  return `<div class="diagram" v-html="${JSON.stringify(own).replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></div>`
}

type Token = ReturnType<MarkdownRenderer['parse']>[number]

/** Links of the repository become links of the site. What the site does not have, such as a licence, is named, not linked. */
function moveLinks(tokens: readonly Token[], from: string): void {
  let isLink = true
  for (const token of tokens) {
    if (token.type === 'link_close' && !isLink) token.tag = 'span'
    if (token.type !== 'link_open' || token.attrGet('class') === 'header-anchor') continue
    const destination = follow(from, token.attrGet('href') ?? '')
    isLink = destination?.address !== undefined || destination === undefined
    if (destination === undefined) continue
    const { file } = destination
    if (file.endsWith('.md') && !existsSync(join(root, file))) throw new Error(`${from}: ${file} is not there`)
    if (isLink) token.attrSet('href', destination.address!)
    else [token.tag, token.attrs] = ['span', [['title', `in the repository: ${file}`]]]
  }
}

/** Pages as they are in the repository become pages of the site. */
export function adapt(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('links-of-the-site', ({ tokens, env }) => {
    // `path` is where it will stand; it was read from `realPath`.
    const { path, realPath = path } = env as { readonly path: string; readonly realPath?: string }
    for (const { children } of tokens) if (children !== null) moveLinks(children, relative(root, realPath))
  })
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!
    return info.trim() === 'mermaid' ? drawn(content) : fence!(tokens, index, options, env, self)
  }
}
