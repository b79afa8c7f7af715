import { fileURLToPath } from 'node:url'
import { Child } from '../../child.ts'
import type { ServiceSettings } from './service.ts'

const program = fileURLToPath(new URL('./program.ts', import.meta.url))

/** The process that is all backends of a scenario. */
export class Backends {
  readonly child: Child
  readonly ports: readonly number[]

  private constructor(child: Child, ports: readonly number[]) {
    this.child = child
    this.ports = ports
  }

  /** Resolves when all listen. */
  static async start(settings: readonly ServiceSettings[]): Promise<Backends> {
    const child = new Child(process.execPath, [program, JSON.stringify(settings)], { side: 'load', talks: true })
    return new Backends(child, await child.ask<number[]>())
  }

  /** Forgets whatever waits: a new run begins, and time with it. */
  async begin(): Promise<void> {
    await this.child.ask<number[]>('begin')
  }

  /** How many requests each has got since then. */
  counts(): Promise<number[]> {
    return this.child.ask<number[]>('counts')
  }
}
