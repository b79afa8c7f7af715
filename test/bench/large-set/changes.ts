import { Balancer } from '@fastify-balancer/balancer-core'
import { spread, type Spread } from '../statistics.ts'
import { manyBackends } from './picks.ts'

const repetitions = 15

/** ms that each way to change a set of so many backends takes. */
export async function timeChanges(count: number): Promise<Record<string, Spread>> {
  const addresses = manyBackends(count)
  const balancer = new Balancer({ backends: addresses })
  const newcomer = 'http://127.0.0.1:9999'
  const times = new Map<string, number[]>()
  const time = async (name: string, change: () => unknown) => {
    const startedAt = performance.now()
    await change()
    const taken = performance.now() - startedAt
    times.set(name, [...(times.get(name) ?? []), taken])
  }

  for (let repetition = 0; repetition < repetitions; repetition++) {
    const middle = balancer.backends[count >> 1]!
    await time('setBackends, one more', () => balancer.setBackends([...addresses, newcomer]))
    await time('remove', () => balancer.remove(newcomer))
    await time('add', () => balancer.add(newcomer))
    await time('setBackends, one fewer', () => balancer.setBackends(addresses))
    await time('update', () => balancer.update(middle.id, { weight: repetition + 2 }))
    await balancer.setBackends(addresses)
    let veto = { lift() {} }
    await time('veto', () => (veto = balancer.veto(middle, { by: 'large-set', reason: 'to see how long it takes' })))
    await time('lift', () => veto.lift())
  }
  await balancer.close()
  return Object.fromEntries([...times].map(([name, all]) => [name, spread(all)]))
}
