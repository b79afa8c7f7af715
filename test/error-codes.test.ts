import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const packages = join(import.meta.dirname, '..', 'packages')

/** With what all codes of a package begin: whoever reads one knows whom to ask. */
const prefixes: Readonly<Record<string, string>> = {
  'balancer-core': 'FST_BALANCER_',
  'fastify-balancer': 'FST_BALANCER_',
  'admin-routes': 'FST_BALANCER_ADMIN_',
  'health-check': 'FST_BALANCER_HEALTH_',
  'adaptive-limit': 'FST_BALANCER_LIMIT_',
  'circuit-breaker': 'FST_BALANCER_CIRCUIT_',
  fleet: 'FST_BALANCER_FLEET_',
  mirror: 'FST_BALANCER_MIRROR_',
  metrics: 'FST_BALANCER_METRICS_',
  dashboard: 'FST_BALANCER_DASHBOARD_',
  'proxy-protocol': 'FST_BALANCER_PROXY_PROTOCOL_',
}

function codesOf(folder: string): string[] {
  return globSync('{src,page}/**/*.{ts,tsx}', { cwd: join(packages, folder) }).flatMap((file) => {
    const text = readFileSync(join(packages, folder, file), 'utf8')
    return [...text.matchAll(/createError(?:<[^(]*>)?\(\s*['"`]([^'"`]*)/g)].map(([, code]) => code!)
  })
}

/** They are the balancer's own, thrown by its neighbours where it is not asked itself: one fault has one code. */
const shared = new Set(['FST_BALANCER_UNKNOWN_BACKEND', 'FST_BALANCER_STALE_REVISION'])

for (const folder of readdirSync(packages))
  test(`the codes of ${folder} begin as they should`, () => {
    const codes = codesOf(folder)
    assert.equal(codes.length > 0, folder in prefixes)
    const others = Object.entries(prefixes).filter(([name, prefix]) => name !== folder && prefix !== prefixes[folder])
    for (const code of codes) {
      if (shared.has(code)) {
        assert.ok(codesOf('balancer-core').includes(code), code)
        continue
      }
      assert.ok(code.startsWith(prefixes[folder]!), code)
      for (const [name, prefix] of others)
        assert.ok(
          prefix.length < prefixes[folder]!.length || !code.startsWith(prefix),
          `${code} is as those of ${name}`,
        )
    }
  })

test('no other code is spoken of', () => {
  const known = new Set(Object.keys(prefixes).flatMap(codesOf))
  const files = globSync(
    ['README.md', 'packages/*/README.md', 'packages/*/{src,page}/**/*.{ts,tsx}', 'examples/*.ts'],
    {
      cwd: join(packages, '..'),
    },
  )
  assert.ok(files.length > 100)
  // The core's codes of failures are made of their reasons.
  const failures = readFileSync(join(packages, 'balancer-core/src/failure.ts'), 'utf8').matchAll(
    /^ {2}'?([a-z-]+)'?: \{/gm,
  )
  for (const [, reason] of failures) known.add(`FST_BALANCER_${reason!.replaceAll('-', '_').toUpperCase()}`)
  // That of @fastify/under-pressure, in whose name the facade refuses.
  known.add('FST_UNDER_PRESSURE')
  for (const file of files) {
    const text = readFileSync(join(packages, '..', file), 'utf8')
    for (const [code] of text.matchAll(/FST_(?!ERR_)[A-Z_]*[A-Z]/g))
      assert.ok(known.has(code) || [...known].some((one) => one.startsWith(`${code}_`)), `${file}: ${code}`)
  }
})
