import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readConfiguration, type ConfigurationReading, type Environment } from '../../src/configuration/reading.ts'

/** A folder of its own for a test, with these files in it. */
export async function folderWith(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'configuration-'))
  t.after(() => rm(folder, { recursive: true }))
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)))
  return folder
}

/** Reads a text as a file, with others beside it. */
export async function readText(
  t: TestContext,
  text: string | Uint8Array,
  env: Environment = {},
  others: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<ConfigurationReading> {
  const folder = await folderWith(t, { ...others, 'site.yaml': text })
  return readConfiguration(join(folder, 'site.yaml'), env)
}

/** The faults as `line:column place: message`. */
export function told({ faults }: Pick<ConfigurationReading, 'faults'>): string[] {
  return faults.map(({ line, column, place, message }) => `${line}:${column} ${place}: ${message}`)
}
