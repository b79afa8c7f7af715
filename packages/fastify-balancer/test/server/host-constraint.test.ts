import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { buildServer } from '../../src/server/running-server.ts'

test('a host is found whatever its case and port; a port or a wildcard in the constraint counts', async (t) => {
  const names = ['shop', 'port', 'below', 'deep', 'others'] as const
  const backends = await startBackends(t, ...names)
  const hosts = ['Shop.Example', 'shop.example:8443', '*.example', '*.deep.example', undefined]
  const server = await buildServer({
    listen: [{ port: 0 }],
    balancers: names.map((name, index) => ({
      name,
      backends: [backends[index]!.url],
      ...(hosts[index] !== undefined && { constraints: { host: hosts[index] } }),
      healthCheck: { type: 'none' },
    })),
    admin: false,
    metrics: false,
    dashboard: false,
    underPressure: false,
    log: { form: 'off' },
  })
  t.after(() => server.close())
  await server.listen()
  const answers: Record<string, string> = {
    'shop.example': 'shop',
    'SHOP.example:9000': 'shop',
    'shop.example.': 'shop',
    'shop.example:8443': 'port',
    'Shop.Example:8443': 'port',
    'a.example': 'below',
    'a.b.example:80': 'below',
    'a.deep.example': 'deep',
    'deep.example': 'below',
    example: 'others',
    'shop.example.org': 'others',
    'notexample:80': 'others',
    '127.0.0.1': 'others',
  }
  for (const [host, name] of Object.entries(answers))
    assert.equal((await ask(server.listeners[0].address!, { headers: { host } })).body, name, host)
})
