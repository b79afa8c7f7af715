import { corePolicies, failures } from '@fastify-balancer/balancer-core'
import { policies as others } from '@fastify-balancer/policies'
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
const policies = new Set([...Object.keys(corePolicies), ...Object.keys(others)])
const tops = new Set([...options].map((option) => option.split('.')[0]!))

/** An option with its whole path, also one that is given a value: `retry.statuses: [503]`. */
function optionIn(span: string): string | undefined {
  const [, path] = /^([a-z]\w*(?:\.\w+)+)(?:: .*)?$/.exec(span) ?? []
  return path !== undefined && tops.has(path.split('.')[0]!) ? path : undefined
}

/** What a pattern finds: each time, the first of its groups. */
const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, one = '']) => one)

const routes = /`((?:GET|PUT|POST|PATCH|DELETE) \/(?:balancers|events|server|ready|live|reload)[^ ?`]*)/g

describe('what the pages name is there', () => {
  for (const { file, text } of written)
    test(file, () => {
      for (const name of found(text, /\b(fastify_balancer_\w+)/g)) assert.ok(metrics.has(name), name)
      for (const span of found(text, /`([^`\n]+)`/g)) {
        const option = optionIn(span)
        if (option !== undefined) assert.ok(options.has(option), option)
      }
      for (const route of found(text, routes)) assert.ok(operations.has(route.replaceAll(/\/shop\b/g, '/:name')), route)
      for (const reason of found(text, /503 `([a-z-]+)`/g)) assert.ok(Object.hasOwn(failures, reason), reason)
      for (const policy of found(text, /policy: (?:\{ name: )?'?([a-z][\w-]+)/g))
        assert.ok(policies.has(policy) || policy === 'module' || policy === 'writesToFirst', policy)
    })
})

test('the table of sick backends is that of the README', () => {
  const tableIn = (text: string) => /^\| a backend \|.*?\n\n/ms.exec(text)?.[0]
  const ours = tableIn(written.find(({ file }) => file.endsWith('unhealthy-backends.md'))!.text)
  assert.ok(ours !== undefined)
  assert.equal(ours, tableIn(readFileSync(join(root, 'README.md'), 'utf8')))
})
