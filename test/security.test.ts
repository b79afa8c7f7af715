import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseSync, Visitor } from 'oxc-parser'

const folder = join(import.meta.dirname, '..', '.github')
const security = readFileSync(join(folder, 'SECURITY.md'), 'utf8')

/** What the tests and suites of a file are called; `undefined` stands for what only a run decides. */
function titlesIn(file: string): readonly (readonly (string | undefined)[])[] {
  const titles: (string | undefined)[][] = []
  new Visitor({
    CallExpression({ callee, arguments: [title] }) {
      if (callee.type !== 'Identifier' || !['test', 'describe', 'it'].includes(callee.name)) return
      if (title?.type === 'Literal' && typeof title.value === 'string') titles.push([title.value])
      if (title?.type === 'TemplateLiteral')
        titles.push(
          title.quasis.flatMap(({ value }, index) => (index === 0 ? [value.cooked!] : [undefined, value.cooked!])),
        )
    },
  }).visit(parseSync(file, readFileSync(file, 'utf8')).program)
  return titles
}

/** Whether a title may turn out to be this. */
function mayBe(title: readonly (string | undefined)[], text: string): boolean {
  const parts = title.map((part) =>
    part === undefined ? '.+' : part.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`),
  )
  return new RegExp(`^${parts.join('')}$`, 's').test(text)
}

interface Claim {
  readonly claim: string
  readonly file: string
  readonly title: string
}

const rows = [...security.matchAll(/^\| (?!it cannot|version|-|the latest|older)(.+?) \| (.+) \|$/gm)]
const claims: readonly Claim[] = rows.map(([, claim, cell]) => {
  const [, file, title] =
    /^\[[\w-]+\]\((\.\.\/[\w/.-]+\.test\.ts)\): (.+)$/.exec(cell!) ?? assert.fail(`${claim} names no test`)
  return { claim: claim!, file: join(folder, file!), title: title! }
})

describe('every claim of SECURITY.md has its test', () => {
  for (const { claim, file, title } of claims)
    test(claim, () => {
      assert.ok(existsSync(file), file)
      assert.ok(
        titlesIn(file).some((one) => mayBe(one, title)),
        `${file} has no test '${title}'`,
      )
    })

  test('there are claims about each party', () => {
    const parties = [...security.matchAll(/^### (.+)$/gm)].map(([, party]) => party)
    assert.equal(parties.length, 3)
    assert.ok(claims.length > 40)
  })
})
