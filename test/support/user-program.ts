// Somebody's own program: the package test puts it into an empty project beside the installed package, checks its types
// there as strictly as they come, and runs it.
import balancer, { type BalancerOptions } from 'fastify-balancer'
import Fastify from 'fastify'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const backend = createServer((request, response) => response.end(`${request.method} ${request.url}`))
await new Promise<void>((resolve) => void backend.listen(0, '127.0.0.1', resolve))
const options: BalancerOptions = { backends: [`http://127.0.0.1:${(backend.address() as AddressInfo).port}`] }

const app = Fastify()
await app.register(balancer, options)
app.get('/mine', (_request, reply) => reply.forward())
// @ts-expect-error: the options are typed
app.get('/never', (_request, reply) => reply.forward({ balancers: 'default' }))
// @ts-expect-error: so is what the app was given
export const never = (): string => app.balancer.backends

const origin = await app.listen({ port: 0, host: '127.0.0.1' })
const texts: string[] = []
for (const path of ['/', '/mine']) texts.push(await (await fetch(origin + path)).text())
const ids: readonly string[] = app.balancer.backends.map(({ id }) => id)
console.log(JSON.stringify({ texts, backends: ids.length, requests: app.balancer.backends[0]?.requests }))
await app.close()
backend.close()
