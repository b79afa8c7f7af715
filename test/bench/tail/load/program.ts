// The clients: carries out one plan after the other, and tells what they saw.
import { schedule } from '../arrivals.ts'
import { seeded } from '../distributions.ts'
import type { Asked } from './asked.ts'
import { closedLoop } from './closed-loop.ts'
import { Connections } from './connections.ts'
import { figuresOf } from './figures.ts'
import { openLoop } from './open-loop.ts'
import { paths, patience, type Plan } from './plan.ts'

async function carryOut({ ports, load, work, arrivals, leadIn, seconds, seed }: Plan) {
  const targets = ports.map((port) => new Connections(port, patience))
  const all = leadIn + seconds
  const asked = await ask()
  for (const target of targets) target.close()
  return figuresOf(asked, { from: leadIn * 1000, until: all * 1000 })

  function ask(): Promise<readonly Asked[]> {
    if (load.kind === 'open') {
      const dues = schedule(arrivals, { rate: load.rate, seconds: all, random: seeded(seed) })
      return openLoop({ targets, dues, path: paths(work, -seed) })
    }
    const { clients } = load
    const own = Array.from({ length: clients }, (_, client) => paths(work, seed * clients + client))
    return closedLoop({ targets, clients, seconds: all, path: (client) => own[client]!() })
  }
}

process.on('message', (plan: Plan) => {
  void carryOut(plan).then((figures) => process.send!(figures))
})
process.once('disconnect', () => process.exit())
process.send!('ready')
