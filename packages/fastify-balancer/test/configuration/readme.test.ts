import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { check } from '../../src/check/check.ts'
import { readConfiguration } from '../../src/configuration/reading.ts'
import { folderWith, told } from './file-on-disk.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const section = readme.slice(readme.indexOf('## One file'), readme.indexOf('## Simulate'))

function blocks(language: string): string[] {
  return [...section.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, own]) => own === language)
    .map(([, , code]) => code!)
}

describe('the files of the README', () => {
  const files = blocks('yaml').map((text) => text.replace('/run/secrets/', ''))
  const [first] = files

  const folder = (t: TestContext, text: string) =>
    folderWith(t, {
      'site.yaml': text,
      'admin-token': 'open-sesame-swordfish\n',
      'rewrite.js': blocks('js').join('\n'),
    })

  for (const [index, text] of files.entries())
    test(`number ${index + 1} can be used`, async (t) => {
      const reading = await readConfiguration(join(await folder(t, text), 'site.yaml'), {})
      assert.deepEqual([told(reading), reading.warnings], [[], []])
    })

  test('the module does what it says', async (t) => {
    const { configuration } = await readConfiguration(join(await folder(t, files[1]!), 'site.yaml'), {})
    const out = { headers: {} as Record<string, string> }
    configuration!.balancers[0]!.rewrite!.request!({ in: { ip: '192.0.2.1' }, out } as never)
    assert.deepEqual(out.headers, { 'x-client': '192.0.2.1' })
  })

  test('the fault is told as it is shown there', async (t) => {
    const [example] = blocks('')
    const file = join(await folder(t, first!.replace('p2c', 'p2')), 'site.yaml')
    let printed = ''
    await check(file, { env: {}, out: () => {}, err: (text) => void (printed += text), excerpts: true, colors: false })
    // The list of policies is cut short there.
    const [before, after] = example!.split('…') as [string, string]
    const shown = printed.replaceAll(file, 'site.yaml')
    assert.equal(shown.slice(0, before.length), before)
    assert.equal(shown.slice(-after.length), after)
  })
})
