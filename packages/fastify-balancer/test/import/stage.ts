import balancer, { type BalancerOptions } from '../../src/index.ts'
import { importHaproxy } from '../../src/import/haproxy/haproxy-import.ts'
import { importNginx } from '../../src/import/nginx/nginx-import.ts'
import { Report } from '../../src/import/result/report.ts'
import { yamlText } from '../../src/import/result/yaml-text.ts'
import Fastify from 'fastify'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parse } from 'yaml'
import { hostConstraint } from '../../src/server/host-constraint.ts'

/** What our file says, as YAML is read. */
export interface Written {
  readonly listen: readonly Record<string, unknown>[]
  readonly balancers: readonly (BalancerOptions & Record<string, unknown>)[]
}

/** What became of a file. */
export interface Imported {
  /** Where the original stands. */
  readonly file: string
  readonly yaml: string
  readonly written: Written
  /** The report's lines, without the folder. */
  readonly report: readonly string[]
  readonly isComplete: boolean
}

/** Writes files to a folder of their own; answers the path of the first. */
export function writeFiles(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'import-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return join(folder, Object.keys(files)[0]!)
}

function imported(file: string, read: typeof importNginx): Imported {
  const report = new Report()
  const yaml = yamlText(read(file, report), [])
  const folder = file.slice(0, file.lastIndexOf('/') + 1)
  const lines = report.lines().map((line) => line.replaceAll(folder, ''))
  return { file, yaml, written: parse(yaml) as Written, report: lines, isComplete: report.isComplete }
}

/** Imports the text of an nginx.conf; `more` are files beside it. */
export function fromNginx(t: TestContext, text: string, more: Readonly<Record<string, string>> = {}): Imported {
  return imported(writeFiles(t, { 'nginx.conf': text, ...more }), importNginx)
}

/** Imports the text of a haproxy.cfg. */
export function fromHaproxy(t: TestContext, text: string): Imported {
  return imported(writeFiles(t, { 'haproxy.cfg': text }), importHaproxy)
}

/** Runs the balancers of our file; answers the origin. */
export async function serve(t: TestContext, { balancers }: Written): Promise<string> {
  // As the command does it.
  const app = Fastify({ routerOptions: { constraints: { host: hostConstraint } } })
  t.after(() => app.close())
  for (const options of balancers) await app.register(balancer, options)
  return app.listen({ port: 0 })
}

/** What a program thinks of its own file: undefined if it is fine. */
export function refusal(command: readonly string[]): string | undefined {
  const { status, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' })
  return status === 0 ? undefined : stderr
}
