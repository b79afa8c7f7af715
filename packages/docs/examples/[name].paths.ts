import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleFiles, exampleName, root } from '../site/pages.ts'

/** A page for each example: what it shows, and all of its source. */
function examplePages() {
  return exampleFiles().map((file) => {
    const source = readFileSync(join(root, file), 'utf8')
    const language = file.endsWith('.ts') ? 'ts' : 'yaml'
    return { params: { name: exampleName(file) }, content: `# ${file}\n\n\`\`\`${language}\n${source}\`\`\`\n` }
  })
}

export default { paths: examplePages }
