// A worker process with writers that change the list of its balancer, as the parent says.
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import process from 'node:process'
import { until } from '../../../../test/support/until.ts'
import fleet from '../../src/index.ts'

const count = Number(process.argv[2])
const app = Fastify()
await app.register(fleet, { heartbeat: 100 })
const urls = Array.from({ length: count }, (_, index) => `http://b${index}.test`)
await app.register(balancer, { backends: urls })
await app.listen({ port: 0, host: '127.0.0.1' })

/** The revisions that changes have brought, and the backends that must be there at the end. */
export interface Written {
  readonly revisions: number[]
  readonly ids: string[]
}

type Command =
  | { readonly command: 'write'; readonly rounds: number; readonly writers: number }
  /** Once this revision is in force. */
  | { readonly command: 'tell'; readonly revision: number }

/** Adds one backend after the other, changes each, and removes every second one; sometimes only at a certain revision. */
async function write(name: string, rounds: number, { revisions, ids }: Written): Promise<void> {
  const one = app.balancer
  for (let number = 0; number < rounds; number++) {
    const id = `${name}.${number}`
    const terms = number % 3 === 0 ? { revision: one.set.revision } : {}
    try {
      revisions.push((await one.add({ id, url: `http://${id}.test` }, terms)).revision)
      process.send!({ hasBegun: true })
      ids.push(id)
      revisions.push((await one.update(id, { weight: 2 })).revision)
      if (number % 2 === 0) continue
      revisions.push((await one.remove(id)).revision)
      ids.pop()
    } catch (error) {
      if ((error as { code?: string }).code !== 'FST_BALANCER_STALE_REVISION') throw error
    }
  }
}

process.on('message', async (message: Command) => {
  if (message.command === 'write') {
    const { rounds, writers } = message
    const all: Written[] = Array.from({ length: writers }, () => ({ revisions: [], ids: [] }))
    await Promise.all(all.map((written, index) => write(`w${process.pid}-${index}`, rounds, written)))
    const written = { revisions: all.flatMap((one) => one.revisions), ids: all.flatMap((one) => one.ids) }
    process.send!({ written })
  } else if (message.command === 'tell') {
    await until('it has followed', () => app.balancer.set.revision >= message.revision)
    const { set, listed } = app.balancer
    process.send!({ told: { revision: set.revision, ids: listed.map(({ id }) => id) } })
  }
})
process.once('disconnect', () => process.exit())
process.send!({ isReady: true })
