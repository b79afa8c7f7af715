import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { parseSync, Visitor } from 'oxc-parser'

const fromHere = createRequire(import.meta.url)
const fromHttpProxy = createRequire(fromHere.resolve('@fastify/http-proxy'))

/** The declarations of a package, which are beside its entry. */
function declarationsOf(require: NodeJS.Require, name: string): string {
  return readFileSync(join(dirname(require.resolve(name)), 'types/index.d.ts'), 'utf8')
}

/** The options in each interface, without those of functions' arguments. */
function optionsIn(declarations: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  new Visitor({
    TSInterfaceDeclaration({ id, body }) {
      const names = body.body.flatMap((one) =>
        one.type === 'TSPropertySignature' && one.key.type === 'Identifier' ? [one.key.name] : [],
      )
      found.set(id.name, names)
    },
  }).visit(parseSync('index.d.ts', declarations).program)
  return found
}

const page = readFileSync(join(import.meta.dirname, '../../packages/docs/migrate.md'), 'utf8')
const named = [...page.matchAll(/^\| (.+?) \| .+ \|$/gm)].flatMap(([, theirs]) =>
  [...theirs!.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code!.match(/\w+/g) ?? []),
)
const told = new Set(named)

describe('the page about migration names every option', () => {
  for (const [name, require, interfaces] of [
    [
      '@fastify/http-proxy',
      fromHere,
      ['FastifyHttpProxyOptions', 'FastifyHttpProxyWebsocketOptionsEnabled', 'WebSocketHooks'],
    ],
    [
      '@fastify/reply-from',
      fromHttpProxy,
      ['FastifyReplyFromOptions', 'FastifyReplyFromHooks', 'HttpOptions', 'Http2Options'],
    ],
  ] as const) {
    const options = optionsIn(declarationsOf(require, name))
    for (const one of interfaces)
      test(`${name}: ${one}`, () => {
        const theirs = options.get(one) ?? []
        assert.ok(theirs.length > 2)
        assert.deepEqual(
          theirs.filter((option) => !told.has(option)),
          [],
        )
      })
  }
})
