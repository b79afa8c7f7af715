import { startNodeProgram } from '../../node-program.ts'
import { packageVersion } from '../../versions.ts'
import { headersTimeout, type FaultSubject } from './subject.ts'

function ours(name: string, title: string, setting: string, args: readonly string[]): FaultSubject {
  return {
    name,
    title,
    setting,
    version: () => packageVersion('@fastify-balancer/balancer-core'),
    start(ports) {
      const origins = ports.map((port) => `http://127.0.0.1:${port}`)
      return startNodeProgram('proxy', 'ours-checked.ts', [`--headers=${headersTimeout}`, ...args, ...origins])
    },
  }
}

const checked = 'health-check and circuit-breaker with their defaults'

/** As most people have it, with another policy, and without what looks after health. */
export const oursForFaults = [
  ours('ours', 'fastify-balancer', `${checked}, round-robin`, []),
  ours('ours-p2c', 'fastify-balancer, p2c', `${checked}, p2c`, ['--policy=p2c']),
  ours('ours-bare', 'balancer-core alone', 'retries only, round-robin', ['--unchecked']),
]
