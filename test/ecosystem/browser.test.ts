// A browser's own event streams and WebSockets through a balancer, and Vite's, which swap a module on the page.
import balancer from '@fastify-balancer/balancer-core'
import Fastify, { type FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createServer as createVite } from 'vite'
import { WebSocketServer } from 'ws'
import { browser, inBrowser } from '../../packages/dashboard/test/browser/browser.ts'
import { listenApp } from '../support/app.ts'
import { listen } from '../support/backend.ts'
import { localhost } from '../support/certificates.ts'
import { until } from '../support/until.ts'

/** Shows the events that it gets, and what comes back to each over a WebSocket. */
const page = `<!doctype html><title>page</title><ul></ul><script>
  const show = (text) => document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: text }))
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket', 'chat')
  socket.onmessage = ({ data }) => show(data)
  socket.onclose = ({ code }) => show('closed ' + code)
  socket.onopen = () => {
    const events = new EventSource('/events')
    events.onmessage = ({ data }) => {
      show(data)
      socket.send(data)
    }
  }
</script>`

async function startPages(t: TestContext) {
  const protocols: string[] = []
  const streams = new Set<{ write(text: string): unknown }>()
  const http = createServer((request, response) => {
    if (request.url !== '/events') return response.setHeader('content-type', 'text/html').end(page)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    streams.add(response)
    return response.on('close', () => streams.delete(response))
  })
  const sockets = new WebSocketServer({ server: http, path: '/socket' })
  sockets.on('connection', (socket) => {
    protocols.push(socket.protocol)
    socket.on('message', (data: Buffer) => socket.send(`${data.toString()} echoed`))
  })
  const url = await listen(http)
  t.after(() => {
    sockets.close()
    http.closeAllConnections()
    http.close()
  })
  return { url, streams, protocols }
}

async function visit(t: TestContext, url: string) {
  const context = await (await browser()).newContext({ ignoreHTTPSErrors: true })
  t.after(() => context.close())
  const opened = await context.newPage()
  const problems: string[] = []
  opened.on('pageerror', (error) => problems.push(error.message))
  await opened.goto(url)
  return { page: opened, problems }
}

const listeners: Readonly<Record<string, object>> = {
  'in clear': {},
  'over TLS, with HTTP/2 for the page': { http2: true, https: { ...localhost, allowHTTP1: true } },
}

for (const [name, options] of Object.entries(listeners))
  test(`an event stream and a WebSocket of a page, ${name}`, inBrowser, async (t) => {
    const backend = await startPages(t)
    const app = Fastify(options) as unknown as FastifyInstance
    await app.register(balancer, { backends: [backend.url], drainDeadline: 20 })
    const versions = new Set<string>()
    app.addHook('onRequest', async ({ raw }) => void versions.add(raw.httpVersion))
    const { url } = await listenApp(t, app)
    const { page: shown, problems } = await visit(t, url)
    const lines = shown.locator('li')
    await until('the page listens', () => backend.streams.size === 1)
    for (const [index, text] of ['one', 'two'].entries()) {
      for (const stream of backend.streams) stream.write(`data: ${text}\n\n`)
      await lines.nth(2 * index + 1).waitFor()
    }
    assert.deepEqual(await lines.allTextContents(), ['one', 'one echoed', 'two', 'two echoed'])
    assert.deepEqual(backend.protocols, ['chat'])
    assert.deepEqual(problems, [])
    if (name !== 'in clear') assert.ok(versions.has('2.0'))
    const closed = app.close()
    await lines.filter({ hasText: 'closed 1001' }).waitFor()
    await closed
  })

test("Vite's page gets a changed module through a balancer, and stays", inBrowser, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'fastify-balancer-vite-'))
  const write = (name: string, text: string) => writeFileSync(join(root, name), text)
  write('index.html', '<!doctype html><title>vite</title><p></p><script type="module" src="/main.js"></script>')
  write(
    'main.js',
    `import { text } from './text.js'
     const show = (next) => (document.querySelector('p').textContent = next)
     show(text)
     window.stays = true
     import.meta.hot.accept('./text.js', (module) => show(module.text))`,
  )
  write('text.js', `export const text = 'before'`)
  const vite = await createVite({
    root,
    configFile: false,
    logLevel: 'silent',
    cacheDir: join(root, 'cache'),
    optimizeDeps: { noDiscovery: true },
    server: { port: 0, host: '127.0.0.1', allowedHosts: true },
  })
  t.after(async () => {
    await vite.close()
    rmSync(root, { recursive: true })
  })
  await vite.listen()
  const app = Fastify()
  const { port } = vite.httpServer!.address() as { port: number }
  await app.register(balancer, { backends: [`http://127.0.0.1:${port}`], drainDeadline: 20 })
  const { url } = await listenApp(t, app)
  const { page: shown } = await visit(t, url)
  await shown.getByText('before').waitFor()
  await until('its tunnel is open', () => app.balancer.tunnels.size === 1)
  write('text.js', `export const text = 'after'`)
  await shown.getByText('after').waitFor()
  assert.equal(await shown.evaluate('window.stays'), true)
})
