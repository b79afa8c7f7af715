import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { environment } from './child.ts'

/** The version of an npm package that this package depends on. */
export function packageVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url)
  if (file === undefined) throw new Error(`${name} is not installed`)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** The version that a program says when asked with `argument`; undefined when the program is not installed. */
export function programVersion(command: string, argument: string): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [argument], { env: environment, encoding: 'utf8' })
  if (error !== undefined) return undefined
  return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] ?? 'unknown'
}
