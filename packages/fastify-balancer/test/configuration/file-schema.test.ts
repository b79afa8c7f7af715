import { AdminRoutesOptions } from '@fastify-balancer/admin-routes'
import { BalancerOptions } from '@fastify-balancer/balancer-core'
import { AdaptiveLimitOptions } from '@fastify-balancer/adaptive-limit'
import { CircuitBreakerOptions } from '@fastify-balancer/circuit-breaker'
import { HealthCheckOptions } from '@fastify-balancer/health-check'
import { MetricsOptions } from '@fastify-balancer/metrics'
import { MirrorOptions } from '@fastify-balancer/mirror'
import type { TSchema } from '@sinclair/typebox'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FileSchema } from '../../src/configuration/schema/file-schema.ts'
import { roleOf, type Role } from '../../src/configuration/schema/reference.ts'

/** Every path of a schema, with the roles that values may have there. */
function pathsOf(schema: TSchema, path = ''): Map<string, Role[]> {
  const paths = new Map<string, Role[]>()
  const choices = (schema['anyOf'] ?? [schema]) as readonly TSchema[]
  paths.set(
    path,
    choices.flatMap((one) => roleOf(one) ?? []),
  )
  for (const choice of choices.filter((one) => roleOf(one) === undefined)) {
    const members = Object.entries((choice['properties'] ?? {}) as Record<string, TSchema>)
    const others = Object.values((choice['patternProperties'] ?? {}) as Record<string, TSchema>)
    const parts = [
      ...members,
      ...others.map((one) => ['*', one] as const),
      ...(choice['items'] === undefined ? [] : [['[]', choice['items'] as TSchema] as const]),
    ]
    for (const [name, part] of parts)
      for (const [own, roles] of pathsOf(part, path === '' ? name : `${path}.${name}`)) paths.set(own, roles)
  }
  return paths
}

describe('what a file may hold', () => {
  const file = pathsOf(FileSchema)

  test('is every option of the plugins, but for what only a program can give', () => {
    const plugins: Readonly<Record<string, TSchema>> = {
      'balancers.[]': BalancerOptions,
      'balancers.[].healthCheck': HealthCheckOptions,
      'balancers.[].circuitBreaker': CircuitBreakerOptions,
      'balancers.[].adaptiveLimit': AdaptiveLimitOptions,
      'balancers.[].mirror': MirrorOptions,
      metrics: MetricsOptions,
      admin: AdminRoutesOptions,
    }
    const missing = Object.entries(plugins).flatMap(([place, schema]) =>
      [...pathsOf(schema).keys()]
        .map((path) => `${place}.${path}`)
        .filter((path) => !file.has(path) && !/[.*]$/.test(path)),
    )
    assert.deepEqual(missing, [
      'balancers.[].route',
      'balancers.[].clock',
      'balancers.[].random',
      'balancers.[].healthCheck.balancer',
      'balancers.[].circuitBreaker.balancer',
      'balancers.[].adaptiveLimit.balancer',
      'balancers.[].mirror.balancer',
      'metrics.registry',
      'admin.onRequest',
      'admin.preHandler',
      'admin.read',
      'admin.read.onRequest',
      'admin.read.preHandler',
      'admin.operate',
      'admin.operate.onRequest',
      'admin.operate.preHandler',
      'admin.user',
      'admin.reload',
      'admin.restart',
    ])
  })

  test('is code, secrets and paths in these places alone: a new one is a decision', () => {
    const places = [...file]
      .filter(([, roles]) => roles.length > 0)
      .map(([path, roles]) => `${path}: ${roles.join(', ')}`)
    assert.deepEqual(places, [
      'listen.[].path: path',
      'listen.[].tls.cert: file',
      'listen.[].tls.key: file',
      'balancers.[].backends.[].tls.caFile: file',
      'balancers.[].backends.[].tls.certFile: file',
      'balancers.[].backends.[].tls.keyFile: file',
      'balancers.[].backends.[].tls.ca: secret, content',
      'balancers.[].backends.[].tls.cert: secret, content',
      'balancers.[].backends.[].tls.key: secret, content',
      'balancers.[].backends.[].tls.passphrase: secret, content',
      'balancers.[].policy: module',
      'balancers.[].policy.secret.[]: secret, content',
      'balancers.[].policy.policy: module',
      'balancers.[].policy.key: module',
      'balancers.[].policy.key.[]: module',
      'balancers.[].pool.tls.caFile: file',
      'balancers.[].pool.tls.certFile: file',
      'balancers.[].pool.tls.keyFile: file',
      'balancers.[].pool.tls.ca: secret, content',
      'balancers.[].pool.tls.cert: secret, content',
      'balancers.[].pool.tls.key: secret, content',
      'balancers.[].pool.tls.passphrase: secret, content',
      'balancers.[].queue.priority.classify: module',
      'balancers.[].rewrite.request: module',
      'balancers.[].rewrite.response: module',
      'balancers.[].sticky.secret.[]: secret, content',
      'balancers.[].healthCheck.headers.*: secret, content',
      'balancers.[].healthCheck.expect.body: module',
      'balancers.[].healthCheck.probe: module',
      'admin.token: secret, content',
      'admin.basicAuth.file: file',
      'admin.listen.path: path',
      'admin.listen.tls.cert: file',
      'admin.listen.tls.key: file',
      'admin.persist: path',
      'metrics.onRequest: module',
      'log.file: path',
    ])
  })
})
