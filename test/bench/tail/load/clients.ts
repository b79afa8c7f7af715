import { fileURLToPath } from 'node:url'
import { Child } from '../../child.ts'
import type { LoadFigures } from './figures.ts'
import type { Plan } from './plan.ts'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

/** How requests are made, for people. */
export const loadTitle =
  'own generator over sockets, which counts latency from when a request was due, not from when it could be sent'

/** The process that plays all clients. */
export class Clients {
  readonly child: Child

  private constructor(child: Child) {
    this.child = child
  }

  static async start(): Promise<Clients> {
    const child = new Child(process.execPath, [program], { side: 'load', talks: true })
    await child.ask<string>()
    return new Clients(child)
  }

  carryOut(plan: Plan): Promise<LoadFigures> {
    return this.child.ask<LoadFigures>(plan)
  }
}
