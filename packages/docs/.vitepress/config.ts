import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type DefaultTheme } from 'vitepress'
import { slugOf } from '../site/anchors.ts'
import { checkBuiltLinks } from '../site/built-links.ts'
import { adapt } from '../site/markdown.ts'
import { pageFiles, placeOf, root } from '../site/pages.ts'

type Items = DefaultTheme.SidebarItem[]

const titles: Readonly<Record<string, string>> = { rest: 'REST', log: 'Log', 'command-line': 'Command line' }
const titled = (name: string) => titles[name] ?? `${name[0]!.toUpperCase()}${name.slice(1).replaceAll('-', ' ')}`

/** The pages of the site below a folder, by their own names. */
function pagesBelow(folder: string, title: (name: string) => string): Items {
  return pageFiles()
    .map((file) => placeOf(file)!)
    .filter((place) => place.startsWith(folder) && !place.slice(folder.length).includes('/'))
    .map((place) => ({
      text: title(place.slice(folder.length).replace('.md', '')),
      link: `/${place.replace('.md', '')}`,
    }))
}

const sidebar: Items = [
  {
    text: 'Begin',
    items: [
      { text: 'Five minutes', link: '/tutorial' },
      { text: 'Migrate', link: '/migrate' },
      { text: 'Examples', link: '/reference/examples' },
      { text: 'Compared with others', link: '/guide/compared' },
    ],
  },
  {
    text: 'Guides',
    items: [
      { text: 'The life of a request', link: '/guide/life-of-a-request' },
      { text: 'Policies', link: '/guide/policies' },
      { text: 'The configuration file', link: '/guide/files' },
      { text: 'Protocols', link: '/guide/protocols' },
      { text: 'gRPC', link: '/guide/grpc' },
      { text: 'Health checks and circuits', link: '/guide/unhealthy-backends' },
      { text: 'Overload', link: '/guide/overload' },
      { text: 'Extend it', link: '/guide/extend' },
      { text: 'Write your own', link: '/guide/write-your-own' },
    ],
  },
  {
    text: 'In production',
    items: [
      { text: 'Deploy', link: '/guide/deploy' },
      { text: 'Tune', link: '/guide/tune' },
      { text: 'Operate it', link: '/guide/operate' },
      { text: 'Runbook', link: '/guide/runbook' },
    ],
  },
  { text: 'Reference', items: pagesBelow('reference/', titled) },
  { text: 'Options', collapsed: true, items: pagesBelow('reference/options/', (name) => name) },
  { text: 'Packages', collapsed: true, items: pagesBelow('packages/', (name) => name) },
]

/** Pages stand outside this package, where `vue` would not be found. */
const vue = dirname(fileURLToPath(import.meta.resolve('vue/package.json')))

/** Three backends, one of them out. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="4" rx="1" fill="#3a6"/><rect y="6" width="16" height="4" rx="1" fill="#3a6"/><rect y="12" width="16" height="4" rx="1" fill="#999"/></svg>',
)}`

export default defineConfig({
  title: 'fastify-balancer',
  description: 'Turns any Fastify app into a production load balancer',
  lang: 'en',
  srcDir: root,
  srcExclude: ['README.md', '.*/**', 'test/**', 'examples/**', 'packages/!(docs)/*/**', 'packages/docs/README.md'],
  rewrites: (file) => placeOf(file) ?? file,
  cleanUrls: true,
  markdown: { anchor: { slugify: slugOf }, languageAlias: { caddyfile: 'nginx' }, config: adapt },
  head: [['link', { rel: 'icon', href: icon }]],
  transformPageData(page) {
    // Wide tables need the room.
    if (page.relativePath.startsWith('reference/'))
      Object.assign(page.frontmatter, { aside: false, pageClass: 'reference' })
    if (page.relativePath.startsWith('reference/options/')) page.frontmatter['pageClass'] = 'reference options'
  },
  buildEnd: ({ outDir }) => checkBuiltLinks(outDir),
  vite: {
    resolve: { alias: [{ find: /^vue(?=\/|$)/, replacement: vue }] },
  },
  themeConfig: {
    sidebar,
    nav: [
      { text: 'Five minutes', link: '/tutorial' },
      { text: 'Runbook', link: '/guide/runbook' },
      { text: 'Options', link: '/reference/options/fastify-balancer' },
      { text: 'Changes', link: '/changelog' },
    ],
    outline: [2, 3],
    search: { provider: 'local' },
  },
})
