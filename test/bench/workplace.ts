import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for configurations and files to serve; it is removed when the program ends. */
export function makeWorkplace(): string {
  const directory = mkdtempSync(join(tmpdir(), 'balancer-bench-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}
