import { readdirSync, readlinkSync } from 'node:fs'
import type { Child } from '../child.ts'

/** What a proxy process holds at one moment, by name. */
export type Figures = Readonly<Record<string, number>>

/** Asks a proxy for its own figures, and adds what the system sees of it. */
export async function takeFigures(child: Child): Promise<Figures> {
  return { ...(await child.ask<Figures>('figures')), 'open sockets': openSockets(child.pid) }
}

/** What is above the idle figures, or was given back twice. */
export function above(idle: Figures, now: Figures): string[] {
  return Object.entries(now)
    .filter(([name, value]) => value > (idle[name] ?? 0) || value < 0)
    .map(([name, value]) => `${name} ${value}, idle ${idle[name] ?? 0}`)
}

function openSockets(pid: number): number {
  const directory = `/proc/${pid}/fd`
  return readdirSync(directory).filter((file) => isSocket(`${directory}/${file}`)).length
}

function isSocket(file: string): boolean {
  try {
    return readlinkSync(file).startsWith('socket:')
  } catch {
    // Closed since it was listed.
    return false
  }
}
