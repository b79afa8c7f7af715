import type { BalancerOptions } from 'fastify-balancer'
import type { Stage } from './stage.ts'

export interface Incident {
  readonly name: string
  readonly options?: BalancerOptions & { readonly ownProcess?: boolean }
  /** Lets it happen; 60 s after it began it is over. */
  readonly cause: (stage: Stage) => Promise<void>
}

const whole = 60

const each = (stage: Stage, change: (backend: ReturnType<Stage['backend']>) => void) => {
  for (const backend of stage.backends.values()) change(backend)
}

let hog: unknown

export const incidents: readonly Incident[] = [
  {
    name: 'killed',
    options: { ownProcess: true },
    async cause(stage) {
      stage.kill()
      await stage.pass(whole)
    },
  },
  {
    name: 'hangs',
    async cause(stage) {
      stage.backend('b2').delay = Infinity
      await stage.pass(whole)
    },
  },
  {
    name: 'slow',
    async cause(stage) {
      stage.backend('b2').delay *= 10
      await stage.pass(whole, 25)
    },
  },
  {
    name: 'one answers 500',
    async cause(stage) {
      stage.backend('b2').status = 500
      await stage.pass(whole)
    },
  },
  {
    name: 'all answer 500',
    async cause(stage) {
      each(stage, (backend) => (backend.status = 500))
      await stage.pass(whole)
    },
  },
  {
    name: 'all down',
    async cause(stage) {
      await Promise.all([...stage.backends.values()].map((backend) => backend.die()))
      await stage.pass(whole)
    },
  },
  {
    name: 'drained',
    async cause(stage) {
      await stage.order('PUT', '/balancers/shop/backends/b2/state', { state: 'drain', deadline: 300_000 })
      await stage.pass(whole)
    },
  },
  {
    name: 'weight 50',
    async cause(stage) {
      await stage.order('PATCH', '/balancers/shop/backends/b2', { weight: 50 })
      await stage.pass(whole)
    },
  },
  {
    name: 'a bad list',
    async cause(stage) {
      await stage.order('PUT', '/balancers/shop/backends', {
        backends: [
          { id: 'b1', url: 'htp://10.0.0.1:3000' },
          { id: 'b1', url: 'http://10.0.0.2:3000', weight: -1 },
        ],
      })
      await stage.pass(whole)
    },
  },
  {
    name: 'queue full',
    options: { pool: { connections: 2 }, queue: { max: 5 } },
    async cause(stage) {
      await stage.pass(whole, 20)
    },
  },
  {
    name: 'overloaded',
    options: {
      underPressure: {
        maxEventLoopDelay: 0,
        maxHeapUsedBytes: process.memoryUsage().heapUsed + 100 * 2 ** 20,
        sampleInterval: 10,
      },
    },
    async cause(stage) {
      hog = new Array(25e6).fill(0.5)
      while (!(stage.app as any).isUnderPressure()) await new Promise(setImmediate)
      await stage.pass(whole)
    },
  },
  {
    name: 'flapping',
    async cause(stage) {
      for (let turn = 0; turn < 3; turn++) {
        await stage.backend('b2').die()
        await stage.pass(10)
        await stage.backend('b2').live()
        await stage.pass(10)
      }
    },
  },
]
export const hold = () => hog
