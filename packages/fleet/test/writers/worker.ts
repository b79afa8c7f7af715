// A worker process with writers that change the list of its balancer, as the parent says.
import balancer from '@fastify-balancer/balancer-core'
import Fastify from 'fastify'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import process from 'node:process'
import fleet from '../../src/index.ts'

const count = Number(process.argv[2])
const app = Fastify()
await app.register(fleet, { heartbeat: 100 })
const urls = Array.from({ length: count }, (_, index) => `http://b${index}.test`)
await app.register(balancer, { backends: urls })
await app.listen({ port: 0, host: '127.0.0.1' })

interface Written {
  readonly revisions: number[]
  readonly ids: string[]
}

/** Adds one backend after the other, changes each, and removes every second one; sometimes only at a certain revision. */
async function write(name: string, until: number, { revisions, ids }: Written): Promise<void> {
  const one = app.balancer
  for (let number = 0; performance.now() < until; number++) {
    const id = `${name}.${number}`
    const terms = number % 3 === 0 ? { revision: one.set.revision } : {}
    try {
      revisions.push((await one.add({ id, url: `http://${id}.test` }, terms)).revision)
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

process.on(
  'message',
  async (message: { readonly command?: string; readonly duration: number; readonly writers: number }) => {
    const { command, duration, writers } = message
    if (command === 'write') {
      const all: Written[] = Array.from({ length: writers }, () => ({ revisions: [], ids: [] }))
      const end = performance.now() + duration
      await Promise.all(all.map((written, index) => write(`${process.pid}-${index}`, end, written)))
      process.send!({ revisions: all.flatMap((one) => one.revisions), ids: all.flatMap((one) => one.ids) })
    }
    if (command === 'tell') {
      const { set, listed } = app.balancer
      process.send!({ told: { revision: set.revision, ids: listed.map(({ id }) => id), about: app.fleet!.instances } })
    }
    if (command === 'patch') {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const begin = performance.now()
      for (let round = 0; round < 20; round++)
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await app.balancer.update(urls[0]!, { weight: 2 + (round % 2) })
      process.send!({ each: (performance.now() - begin) / 20, held: delay.max / 1e6 })
    }
  },
)
process.once('disconnect', () => process.exit())
process.send!('ready')
