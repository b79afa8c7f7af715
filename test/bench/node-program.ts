import { fileURLToPath } from 'node:url'
import { Child } from './child.ts'
import type { Side } from './pinning.ts'

/** A server that runs, and where. */
export interface RunningServer {
  readonly port: number
  readonly child: Child
}

/** Starts a program of `proxies/`, which says over IPC which port it has got. */
export async function startNodeProgram(side: Side, file: string, args: readonly string[]): Promise<RunningServer> {
  const program = fileURLToPath(new URL(`./proxies/${file}`, import.meta.url))
  const child = new Child(process.execPath, [program, ...args], { side, talks: true })
  return { child, port: await child.ask<number>() }
}
