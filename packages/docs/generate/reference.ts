// Writes the reference, from the source: `node packages/docs/generate/reference.ts --write`.
import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commandPage } from './command-page.ts'
import { eventPage } from './event-page.ts'
import { examplePage } from './example-page.ts'
import { metricPage } from './metric-page.ts'
import { optionPages, policyPage } from './option-pages.ts'
import { restPage } from './rest-page.ts'
import { channelPage, failurePage, hookPage, logPage } from './seam-pages.ts'

/** Where the reference is. */
export const referenceFolder = join(import.meta.dirname, '..', 'reference')

/** Every page of the reference, by its file within the folder. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  const [rest, metrics, command] = await Promise.all([restPage(), metricPage(), commandPage()])
  return {
    ...optionPages(),
    'policies.md': policyPage(),
    'rest.md': rest,
    'events.md': eventPage(),
    'hooks.md': hookPage(),
    'channels.md': channelPage(),
    'log.md': logPage(),
    'failures.md': failurePage(),
    'metrics.md': metrics,
    'command-line.md': command,
    'examples.md': examplePage(),
  }
}

if (process.argv[1] === import.meta.filename && process.argv[2] === '--write') {
  const pages = await referencePages()
  for (const file of globSync('**/*.md', { cwd: referenceFolder }))
    if (!(file in pages)) rmSync(join(referenceFolder, file))
  for (const [file, text] of Object.entries(pages)) {
    mkdirSync(dirname(join(referenceFolder, file)), { recursive: true })
    writeFileSync(join(referenceFolder, file), text)
  }
}
