import type { FastifyRequest } from 'fastify'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onlyLocal } from '../../src/guard/only-local.ts'

const request = (remoteAddress: string | undefined, hostname: string, headers = {}, httpVersion = '1.1') =>
  ({ socket: { remoteAddress }, hostname, raw: { headers, httpVersion } }) as unknown as FastifyRequest

for (const [address, host] of [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', 'localhost'],
  ['::1', '[::1]'],
  ['::ffff:127.0.0.1', 'localhost'],
] as const)
  test(`${address} that asked for ${host} is here`, async () => {
    await onlyLocal(request(address, host))
  })

for (const [address, host] of [
  ['10.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.1', 'localhost'],
  ['127.0.0.1', 'evil.example'],
  ['127.0.0.1', '127.0.0.1.evil.example'],
  ['127.0.0.1', ''],
  [undefined, 'localhost'],
] as const)
  test(`${address} that asked for '${host}' is refused`, async () => {
    await assert.rejects(onlyLocal(request(address, host)), { code: 'FST_BALANCER_NOT_LOCAL', statusCode: 403 })
  })

for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'])
  test(`a proxy on this machine, which sends ${name}, may stand for a client anywhere`, async () => {
    const proxied = request('127.0.0.1', 'localhost', { [name]: '192.0.2.1' })
    await assert.rejects(onlyLocal(proxied), { code: 'FST_BALANCER_NOT_LOCAL', statusCode: 403 })
  })

test('so may one that adds no header, as nginx, which speaks HTTP/1.0 then', async () => {
  const proxied = request('127.0.0.1', '127.0.0.1', { connection: 'close' }, '1.0')
  await assert.rejects(onlyLocal(proxied), { code: 'FST_BALANCER_NOT_LOCAL', statusCode: 403 })
})
