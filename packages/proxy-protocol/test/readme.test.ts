import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { localhost } from '../../../test/support/certificates.ts'
import { startProgram } from '../../../test/support/program.ts'
import { text } from './header-bytes.ts'
import { encrypted, opened } from './stage.ts'

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'packages/proxy-protocol/README.md'), 'utf8')
const [plain = '', secure = ''] = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)

/** What the first program ends with; the second leaves it out. */
const route = /^app\.get.*\nawait app\.listen.*\n/m

test('the programs of the README do what they say', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-protocol-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'test/node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'cert.pem'), localhost.cert)
  writeFileSync(join(folder, 'key.pem'), localhost.key)
  const programs = { plain, secure: secure + route.exec(plain)![0] }
  for (const [name, code] of Object.entries(programs)) {
    const listening = code.replace("port: 8080, host: '0.0.0.0'", "port: 0, host: '127.0.0.1'")
    assert.notEqual(listening, code)
    const own = listening.replaceAll('10.0.0.0/8', '127.0.0.0/8') + '\nconsole.log(app.addresses()[0]?.port)\n'
    writeFileSync(join(folder, `${name}.ts`), own)
    const program = startProgram(t, join(folder, `${name}.ts`), { cwd: folder })
    const port = Number((await program.until(/^\d+$/))[0])
    for (const isSecure of name === 'secure' ? [false, true] : [false]) {
      const socket = await opened(t, port, text.ipv4)
      const used = isSecure ? encrypted(socket, 'http/1.1') : socket
      used.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      let received = ''
      for await (const chunk of used) received += String(chunk)
      assert.match(received, /\{"ip":"192\.0\.2\.1","port":56324\}$/)
    }
  }
})
