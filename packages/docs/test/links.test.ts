import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { anchorsIn, slugOf, withoutCode } from '../site/anchors.ts'
import { follow, root } from '../site/pages.ts'
import { all } from './pages.ts'

/** Every link of a page, pictures included, whatever stands as code. */
function linksIn(markdown: string): string[] {
  const text = withoutCode(markdown).replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)|<(?:img|a)\b[^>]*? (?:src|href)="([^"]+)"/g)].map(
    ([, link, other]) => (link ?? other)!,
  )
}

const anchorsOf = new Map<string, ReadonlySet<string>>()

/** What is wrong with a link, on the forge or on the site; undefined if nothing is. */
function faultOf(file: string, link: string): string | undefined {
  const destination = follow(file, link)
  if (destination === undefined) return undefined
  const { file: path, anchor } = destination
  if (!existsSync(join(root, path))) return `${path} is not there`
  if (anchor === '') return undefined
  const anchors = anchorsOf.get(path) ?? anchorsIn(readFileSync(join(root, path), 'utf8'))
  anchorsOf.set(path, anchors)
  return anchors.has(anchor) ? undefined : `${path} has no #${anchor}`
}

test('a link is followed as the forge and the site do', () => {
  const file = 'packages/docs/guide/deploy.md'
  assert.equal(faultOf(file, 'https://example.com/#x'), undefined)
  assert.equal(faultOf(file, '#systemd'), undefined)
  assert.equal(faultOf(file, '#upstart'), `${file} has no #upstart`)
  assert.equal(faultOf(file, 'gone.md'), 'packages/docs/guide/gone.md is not there')
  assert.equal(follow(file, '../../mirror#options')?.address, '/packages/mirror#options')
  assert.equal(follow(file, '../../mirror/README.md#readme')?.address, '/packages/mirror')
  assert.equal(follow(file, '../tutorial.md')?.address, '/tutorial')
  assert.equal(follow(file, '../index.md')?.address, '/')
  assert.equal(follow(file, '../../../examples/sites/tls.yaml')?.address, '/examples/sites-tls')
  assert.equal(follow(file, '../../../LICENSE')?.address, undefined)
})

test('headings have the anchors of the forge', () => {
  assert.equal(slugOf('@fastify/reply-from'), 'fastifyreply-from')
  assert.equal(slugOf('gRPC, gRPC-Web and Connect'), 'grpc-grpc-web-and-connect')
  assert.deepEqual([...anchorsIn('# A `b`\n```sh\n# no\n```\n## A b\n<a id="c.d"></a>\n### [E](f.md)')].sort(), [
    'a-b',
    'a-b-1',
    'c.d',
    'e',
  ])
})

describe('every link leads to a page, and to a heading of it', () => {
  for (const { file, text } of all)
    test(file, () => {
      const faults = linksIn(text).map((link) => [link, faultOf(file, link)] as const)
      assert.deepEqual(
        faults.filter(([, fault]) => fault !== undefined),
        [],
      )
    })
})
