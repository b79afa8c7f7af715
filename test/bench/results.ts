import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where a program keeps its results, unless it is told otherwise; relative to where it is run. */
export function resultsFile(name: string): string {
  return relative(process.cwd(), fileURLToPath(new URL(`./results/${name}.json`, import.meta.url)))
}

export function saveResults(file: string, results: unknown): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)
}

export function loadResults(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
