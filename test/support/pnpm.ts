import { basename } from 'node:path'

/** A command that runs pnpm: the one that runs this program, or the one that npm finds. */
export function pnpm(...args: string[]): readonly [string, string[]] {
  const own = process.env['npm_execpath'] ?? ''
  if (!basename(own).startsWith('pnpm')) return ['npx', ['--yes', 'pnpm@12', ...args]]
  return /\.[cm]?js$/.test(own) ? [process.execPath, [own, ...args]] : [own, args]
}
