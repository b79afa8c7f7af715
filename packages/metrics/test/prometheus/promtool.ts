import { spawnSync } from 'node:child_process'

/** Debian keeps some of these outside of the usual PATH. */
export function missing(program: string, ...args: readonly string[]): string | false {
  return spawnSync(program, args).status === 0 ? false : `needs ${program} (Debian: prometheus)`
}

/** Why tests with it are skipped; false if they are not. */
export const withoutPromtool = missing('promtool', '--version')

/** Runs `promtool`; answers what it wrote, and whether it was content. */
export function promtool(args: readonly string[], input = '', cwd?: string): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', ...(cwd && { cwd }) })
  return { ok: status === 0, output: stdout + stderr }
}
