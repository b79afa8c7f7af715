import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { ask } from '../../../../test/support/ask.ts'
import { startBackends } from '../../../../test/support/backend.ts'
import { until } from '../../../../test/support/until.ts'
import { isThere, patience, pidsIn, runFile, startHolding } from './stage.ts'

/** Its import does not end as long as there is a file `hold` beside it. */
const gate = `import { appendFileSync, existsSync } from 'node:fs'
if (existsSync(new URL('hold', import.meta.url))) {
  appendFileSync(new URL('held', import.meta.url), process.pid + '\\n')
  await new Promise(() => setInterval(() => {}, 1000))
}
export function request() {}`

/** A port that is free, and is likely to stay so. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('SIGTERM: a worker that does not answer does not hold up the others', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const { program, url } = await runFile(t, { balancers: [{ backends: [backend] }] })
  while (pidsIn(program).size < 2) await ask(url)
  const [stopped, other] = pidsIn(program)
  process.kill(stopped!, 'SIGSTOP')
  t.after(() => isThere(stopped!) && process.kill(stopped!, 'SIGKILL'))
  program.child.kill('SIGTERM')
  await until('the other one has ended', () => !isThere(other!))
  assert.ok(isThere(stopped!))
  process.kill(stopped!, 'SIGCONT')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
  assert.equal(program.stdout.join('\n').includes('killed'), false, 'it had the time that it needed')
})

test('a worker that dies during a reload that fails is replaced by one of what stays in force', patience, async (t) => {
  const { url: backend } = await startHolding(t)
  const [port, next] = [await freePort(), await freePort()]
  const content = (place: number) => ({
    listen: [{ port: place }],
    balancers: [{ backends: [backend], rewrite: { request: { module: './gate.js', export: 'request' } } }],
  })
  const { program, url, write, folder } = await runFile(t, content(port), { 'gate.js': gate })
  while (pidsIn(program).size < 2) await ask(url)
  const [victim] = pidsIn(program)
  writeFileSync(join(folder, 'hold'), '')
  await write(content(next))
  const held = join(folder, 'held')
  await until('a new worker begins', () => existsSync(held) && readFileSync(held, 'utf8').includes('\n'))
  rmSync(join(folder, 'hold'))
  process.kill(victim!, 'SIGKILL')
  await program.until(/worker \d \(pid \d+\) ended: signal SIGKILL; replaced/)
  process.kill(Number(readFileSync(held, 'utf8').split('\n')[0]), 'SIGKILL')
  await program.until(/not reloaded \(balancer\.yaml changed\), the configuration in force stays/)
  while (pidsIn(program).size < 3) assert.equal((await ask(url)).status, 200)
  assert.match(String((await ask(`http://127.0.0.1:${next}`)).error), /ECONNREFUSED/)
  program.child.kill('SIGTERM')
  assert.deepEqual(await program.exit, { code: 0, signal: null })
})

test('a file that changes while no worker is left is in force once there are others', patience, async (t) => {
  const [a, b] = await startBackends(t, 'a', 'b')
  const content = ({ url }: { readonly url: string }) => ({ balancers: [{ backends: [{ id: 'one', url }] }] })
  const port = await freePort()
  const { program, url, write } = await runFile(t, { listen: [{ port }], ...content(a!) })
  while (pidsIn(program).size < 2) await ask(url)
  for (const pid of pidsIn(program)) process.kill(pid, 'SIGKILL')
  await write({ listen: [{ port }], ...content(b!) })
  await program.until(/"reloaded \(balancer\.yaml changed\)/)
  assert.equal((await ask(url)).body, 'b')
})
