import { corePolicies, failures } from '@fastify-balancer/balancer-core'
import { policies } from '@fastify-balancer/policies'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { anchorsIn } from '../site/anchors.ts'
import { referenceFolder } from '../generate/reference.ts'
import { root } from '../site/pages.ts'
import { written } from './pages.ts'

const reference = (file: string) => readFileSync(join(referenceFolder, file), 'utf8')
/** `retry.budget.ratio`, and `retry.budget` as well. */
const options = new Set(
  [...anchorsIn(reference('options/fastify-balancer.md'))].flatMap((option) =>
    option.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.')),
  ),
)
const metrics = anchorsIn(reference('metrics.md'))
const operations = new Set([...reference('rest.md').matchAll(/^### .*<\/a>(.+)$/gm)].map(([, route]) => route!))
const tops = new Set([...options].map((option) => option.split('.')[0]!))

/** What stands as code in a sentence. */
const spansIn = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)

/** An option with its whole path, also one that is given a value: `retry.statuses: [503]`. */
function optionIn(span: string): string | undefined {
  const [, path] = /^([a-z]\w*(?:\.\w+)+)(?:: .*)?$/.exec(span) ?? []
  return path !== undefined && tops.has(path.split('.')[0]!) ? path : undefined
}

describe('what the pages name is there', () => {
  for (const { file, text } of written)
    test(file, () => {
      const spans = spansIn(text)
      for (const [, name] of text.matchAll(/\b(fastify_balancer_\w+)/g)) assert.ok(metrics.has(name!), name)
      for (const span of spans) {
        const option = optionIn(span)
        if (option !== undefined) assert.ok(options.has(option), option)
        const [, route] = /^((?:GET|PUT|POST|PATCH|DELETE) \/(?:balancers|events|server|ready|live|reload)[^ ?]*)/.exec(span) ?? []
        if (route !== undefined) assert.ok(operations.has(route.replaceAll(/\/shop\b/g, '/:name')), route)
      }
      for (const [, reason] of text.matchAll(/503 `([a-z-]+)`/g)) assert.ok(Object.hasOwn(failures, reason!), reason)
      for (const [, policy] of text.matchAll(/policy: (?:\{ name: )?'?([a-z][\w-]+)/g))
        if (!['module', 'writesToFirst'].includes(policy!))
          assert.ok(Object.hasOwn(corePolicies, policy!) || Object.hasOwn(policies, policy!), policy)
    })
})

test('the table of sick backends is that of the README', () => {
  const tableIn = (text: string) => /^\| a backend \|.*?\n\n/ms.exec(text)?.[0]
  const ours = tableIn(written.find(({ file }) => file.endsWith('unhealthy-backends.md'))!.text)
  assert.ok(ours !== undefined)
  assert.equal(ours, tableIn(readFileSync(join(root, 'README.md'), 'utf8')))
})
