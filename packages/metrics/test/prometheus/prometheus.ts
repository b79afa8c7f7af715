import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { missing } from './promtool.ts'

/** Why tests with it are skipped; false if they are not. */
export const withoutPrometheus = missing('prometheus', '--version')

/** One series of an answer, with its value now. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}

/** A Prometheus that scrapes. */
export interface Prometheus {
  /** The series that an expression has now. @throws Error for one that cannot be parsed */
  query(expression: string): Promise<readonly Found[]>
  /** The unit of a metric, which only OpenMetrics tells; undefined before the first scrape. */
  unitOf(metric: string): Promise<string | undefined>
  /** Names and expressions of the alert rules that it has read. */
  rules(): Promise<readonly { readonly name: string; readonly query: string }[]>
}

interface Reply {
  readonly status: string
  readonly error?: string
  readonly data: readonly { readonly unit: string }[] & {
    readonly result: readonly Found[]
    readonly groups: readonly { readonly rules: readonly { readonly name: string; readonly query: string }[] }[]
  }
}

/**
 * Starts one that scrapes these `host:port` five times a second; it ends with the test. The first scrape comes after 5 s, since
 * it hands new addresses to its scraper only that often.
 */
export async function startPrometheus(
  t: TestContext,
  scraped: readonly string[],
  rules: readonly string[],
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'prometheus.yml')
  // JSON is YAML.
  const configuration = {
    global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
    rule_files: rules,
    scrape_configs: [{ job_name: 'front', static_configs: [{ targets: scraped }] }],
  }
  writeFileSync(file, JSON.stringify(configuration))
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--log.format=json',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const origin = await new Promise<string>((resolve, reject) => {
    const lines: string[] = []
    createInterface({ input: child.stderr })
      .on('line', (line) => {
        lines.push(line)
        const { msg, address } = JSON.parse(line) as { readonly msg?: string; readonly address?: string }
        if (msg === 'Listening on') resolve(`http://${address}`)
      })
      .on('close', () => reject(new Error(`it ended: ${lines.join('\n')}`)))
  })
  async function ask(path: string): Promise<Reply['data']> {
    const response = await fetch(origin + path)
    const text = await response.text()
    // Before it has read its own files, it says so in plain words.
    if (response.status === 503) return Object.assign([], { result: [], groups: [] })
    const { status, error, data } = JSON.parse(text) as Reply
    if (status !== 'success') throw new Error(error)
    return data
  }
  return {
    query: async (expression) => (await ask(`/api/v1/query?query=${encodeURIComponent(expression)}`)).result,
    unitOf: async (metric) => (await ask(`/api/v1/targets/metadata?metric=${metric}`))[0]?.unit,
    rules: async () => (await ask('/api/v1/rules?type=alert')).groups.flatMap((one) => one.rules),
  }
}
