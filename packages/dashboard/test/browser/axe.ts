import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** What axe-core says of one rule that is broken. */
interface Violation {
  readonly id: string
  readonly impact: 'minor' | 'moderate' | 'serious' | 'critical'
  readonly help: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** axe-core finds nothing serious below what `selector` finds, as the page is now, and nothing critical. */
export async function assertAccessible(page: Page, when: string, selector = 'html'): Promise<void> {
  // Not as a script of the page, whose policy would refuse it.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(source)
  const violations = await page.evaluate<Violation[]>(
    `axe.run('${selector}', { resultTypes: ['violations'] }).then((found) => found.violations)`,
  )
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const lines = grave.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${when}: ${id}: ${help}\n  ${html.slice(0, 300)}\n  ${failureSummary}`),
  )
  assert.deepEqual(lines, [], lines.join('\n'))
}
