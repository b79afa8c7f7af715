import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startApp } from '../support/app.ts'
import { startBackend, unusedOrigin } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { missing, run } from '../support/other-server.ts'

const readme = readFileSync(new URL('../../packages/fastify-balancer/README.md', import.meta.url), 'utf8')
const [, site = ''] = /^```caddyfile\n(.*?)^```$/ms.exec(readme) ?? []

/** `CHROMIUM_PATH` says which; `none` is none. */
const { CHROMIUM_PATH: given = '' } = process.env
const chromium = (
  given === '' ? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'] : [given]
).find((path) => existsSync(path))
const skip = chromium === undefined ? 'no Chromium: apt-get install chromium' : missing('caddy')

test('Caddy in front, as the README has it, serves a browser over HTTP/3', { skip, timeout: 120_000 }, async (t) => {
  const backend = await startBackend(t, ({ headers }, response) => {
    const told = ['x-forwarded-for', 'x-forwarded-proto', 'x-client-protocol'].map((name) => headers[name])
    response.setHeader('content-type', 'text/html')
    response.end(`<p>${told.join(' ')}</p>`)
  })
  const { port } = await startApp(t, { backends: [backend.url] }, { trustProxy: '127.0.0.1' })
  const folder = mkdtempSync(join(tmpdir(), 'http3-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const own = Number(new URL(await unusedOrigin()).port)
  const certificate = new X509Certificate(localhost.cert)
  writeFileSync(join(folder, 'cert.pem'), localhost.cert)
  writeFileSync(join(folder, 'key.pem'), localhost.key)
  // What a test needs: no privileged port, no certificate from outside, and a word of what the browser spoke.
  const place = [
    ['www.example.com {', `https://localhost:${own} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`],
    ['127.0.0.1:8080', `127.0.0.1:${port} {\n\t\theader_up X-Client-Protocol {http.request.proto}\n\t}`],
  ] as const
  const text = place.reduce((before, [from, to]) => {
    assert.ok(before.includes(from), from)
    return before.replace(from, to)
  }, site)
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n${text}`,
  )
  await run(
    t,
    [
      'env',
      `XDG_DATA_HOME=${folder}`,
      `HOME=${folder}`,
      'caddy',
      'run',
      '--adapter',
      'caddyfile',
      '--config',
      join(folder, 'Caddyfile'),
    ],
    own,
  )
  const key = createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64')
  const { stdout } = await promisify(execFile)(chromium!, [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    `--user-data-dir=${folder}/browser`,
    `--origin-to-force-quic-on=localhost:${own}`,
    `--ignore-certificate-errors-spki-list=${key}`,
    '--dump-dom',
    `https://localhost:${own}/`,
  ])
  assert.match(stdout, /<p>(?:127\.0\.0\.1|::1), 127\.0\.0\.1 https HTTP\/3\.0<\/p>/)
})
