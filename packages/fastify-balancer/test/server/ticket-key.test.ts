import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { startBackends } from '../../../../test/support/backend.ts'
import { localhost } from '../../../../test/support/certificates.ts'
import { folderOf } from '../reload/reloading.ts'
import { configured, run } from './running.ts'

/** Connects, with the session of before perhaps; answers whether it was resumed, and its own session. */
async function connectAgain(url: string, session?: Buffer) {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    ca: localhost.cert,
    servername: 'localhost',
    ...(session !== undefined && { session }),
  })
  await once(socket, 'secureConnect')
  const isResumed = socket.isSessionReused()
  let own: Buffer | undefined
  socket.on('session', (one) => (own = one))
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  return { isResumed, session: own }
}

test('servers with one ticket key resume the sessions of each other, until it is another', async (t) => {
  const [backend] = await startBackends(t, 'a')
  const folder = await folderOf(t)
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  await Promise.all([writeFile(tls.cert, localhost.cert), writeFile(tls.key, localhost.key)])
  const listen = [{ port: 0, host: '127.0.0.1', tls }]
  const configuration = configured([{ backends: [backend!.url] }], { listen })
  const servers = [await run(t, configuration), await run(t, configuration)]
  const [one, other] = servers.map(({ urls: [url] }) => url!)
  const key = randomBytes(48)
  for (const { server } of servers) server.useTicketKey(key)
  const { isResumed, session } = await connectAgain(one!)
  assert.equal(isResumed, false)
  assert.equal((await connectAgain(other!, session)).isResumed, true)
  servers[1]!.server.useTicketKey(randomBytes(48))
  assert.equal((await connectAgain(other!, session)).isResumed, false)
})
