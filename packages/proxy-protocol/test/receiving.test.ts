import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failOnCrash } from '../../../test/conformance/no-crash.ts'
import { binary, extension, ipv4, ipv6, text, withChecksum } from './header-bytes.ts'
import { opened, seenBy, startStage, ways } from './stage.ts'

failOnCrash()

const headers = {
  'version 1': { bytes: text.ipv4, ip: '192.0.2.1', local: '198.51.100.7' },
  'version 2 with a checksum and extensions': {
    bytes: withChecksum(
      0x21,
      0x21,
      Buffer.concat([ipv6, extension(0x02, 'a.example'), extension(0x05, 'x'.repeat(128))]),
    ),
    ip: '2001:db8::1',
    local: '2001:db8::2',
  },
}

for (const way of ways)
  describe(way, () => {
    for (const [name, { bytes, ip, local }] of Object.entries(headers))
      test(`${name}: the request has the client's address`, async (t) => {
        const { port } = await startStage(t)
        const seen = await seenBy(await opened(t, port, bytes), way, 'x'.repeat(100_000))
        assert.deepEqual(
          { ...seen, body: seen.body.length },
          {
            ip,
            port: 56_324,
            local,
            protocol: way.endsWith('TLS') ? 'https' : 'http',
            version: way.startsWith('HTTP/2') ? '2.0' : '1.1',
            body: 100_000,
          },
        )
      })

    test('the header comes byte by byte', async (t) => {
      const { port } = await startStage(t)
      const socket = await opened(t, port)
      socket.setNoDelay(true)
      for (const byte of withChecksum(0x21, 0x11, ipv4))
        await new Promise<void>((resolve) => void socket.write(Buffer.from([byte]), () => setImmediate(resolve)))
      assert.equal((await seenBy(socket, way)).ip, '192.0.2.1')
    })

    test('the header and the first bytes of the client come in one segment', async (t) => {
      const { port } = await startStage(t)
      const socket = await opened(t, port)
      socket.cork()
      socket.write(binary(0x21, 0x11, ipv4))
      const answer = seenBy(socket, way)
      process.nextTick(() => process.nextTick(() => socket.uncork()))
      assert.equal((await answer).ip, '192.0.2.1')
    })

    for (const [name, bytes] of [
      ['UNKNOWN', 'PROXY UNKNOWN\r\n'],
      ['LOCAL', binary(0x20, 0x11, ipv4)],
      ['a Unix socket', binary(0x21, 0x31, Buffer.alloc(216, 65))],
    ] as const)
      test(`${name} keeps the ends of the connection`, async (t) => {
        const { port } = await startStage(t)
        const socket = await opened(t, port, bytes)
        const { localPort } = socket
        const { ip, local, port: seenPort } = await seenBy(socket, way)
        assert.deepEqual({ ip, local, port: seenPort }, { ip: '127.0.0.1', local: '127.0.0.1', port: localPort })
      })

    test('a peer that is not listed sends none, and is itself', async (t) => {
      const { port } = await startStage(t, { from: ['192.0.2.0/24', '::/0', 'unix'] })
      const socket = await opened(t, port)
      const { localPort } = socket
      const { ip, port: seenPort } = await seenBy(socket, way)
      assert.deepEqual({ ip, port: seenPort }, { ip: '127.0.0.1', port: localPort })
    })
  })
