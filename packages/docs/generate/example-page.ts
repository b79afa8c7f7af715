import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleFiles, root } from '../site/pages.ts'
import { page, table, type Row } from './markdown.ts'

/** The first sentence of the comment that a file begins with. */
function aboutOf(file: string): string {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  const comment = lines
    .slice(
      0,
      lines.findIndex((line) => line !== '' && !/^(?:\/\/|#)/.test(line)),
    )
    .map((line) => line.replace(/^(?:\/\/|#) ?/, ''))
    .filter((line) => !line.startsWith('yaml-language-server'))
    .join(' ')
    .trim()
  return /^.*?[.:](?= |$)/.exec(comment)?.[0].replace(/:$/, '.') ?? comment
}

const rowOf = (file: string): Row => [`[${file.replace('examples/', '')}](../../../${file})`, aboutOf(file)]

/** Every example, with what it shows. */
export function examplePage(): string {
  const files = exampleFiles()
  const tableOf = (match: RegExp) => table(['example', 'shows'], files.filter((file) => match.test(file)).map(rowOf))
  return page(
    'Examples',
    'Each runs as it is, and a test runs each.',
    '## Programs\n\n`node examples/basic.ts` starts small backends of its own, or uses those in the variable `BACKENDS`.',
    tableOf(/\.ts$/),
    '## Configuration files\n\n`npx fastify-balancer --config examples/sites/single-page-app.yaml`',
    tableOf(/sites\//),
    '## Simulations\n\n`npx fastify-balancer simulate examples/simulations/one-slow.yaml`',
    tableOf(/simulations\//),
  )
}
