// A balancer with its checks, in a process that has run out of file descriptors for a while. Arguments: the origins of its
// backends. Tells one line of JSON.
import Fastify from 'fastify'
import balancer from 'fastify-balancer'
import { closeSync, openSync } from 'node:fs'
import { LogLines } from '../support/log-lines.ts'

// Node opens these when something is written for the first time.
void [process.stdout, process.stderr]

const log = new LogLines()
const app = Fastify({ logger: log })
await app.register(balancer, {
  backends: process.argv.slice(2).map((url, index) => ({ id: `b${index}`, url })),
  admin: { insecure: true },
  healthCheck: { interval: 60_000, fastInterval: 20, timeout: 10_000, fall: 1, rise: 1 },
})
await app.ready()
// What asks is loaded while there are files to be had.
await app.inject('/_balancer/live')
const ids = app.balancer.backends.map(({ id }) => id)
const states = () => ids.map((id) => app.healthCheck.of(id).active!.state)
const vetoes = () => app.balancer.backends.flatMap((backend) => backend.vetoes.map(({ by }) => `${backend.id} ${by}`))

const held: number[] = []
try {
  for (;;) held.push(openSync('/dev/null', 'r'))
} catch {
  // There are none left.
}
const without = []
for (let round = 0; round < 5; round++) for (const id of ids) without.push(await app.healthCheck.probe(id))
const { body } = await app.inject({ method: 'POST', url: `/_balancer/balancers/default/backends/${ids[0]}/probe` })
const during = { states: states(), vetoes: vetoes() }
for (const file of held) closeSync(file)
const withSockets = []
for (const id of ids) withSockets.push(await app.healthCheck.probe(id))
// Without what is logged of the requests to the admin routes.
const messages = log.all.flatMap(({ msg = '' }) => (msg.includes('probes') ? msg : []))
process.stdout.write(
  `${JSON.stringify({ without, overRest: JSON.parse(body), during, withSockets, states: states(), vetoes: vetoes(), messages })}\n`,
)
await app.close()
