import { BackendOptions, BalancerOptions, failures } from '@fastify-balancer/balancer-core'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What the tables need of a schema. */
interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly default?: unknown
  readonly description?: string
}

type Row = readonly string[]

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}\``
}

function optionRows({ properties = {} }: Schema, path = ''): Row[] {
  return Object.entries(properties).flatMap(([name, option]) =>
    option.properties === undefined
      ? [[`\`${path}${name}\``, option.default === undefined ? '' : code(option.default), option.description ?? '']]
      : optionRows(option, `${path}${name}.`),
  )
}

/** Every option of `register` and of one backend, from the schemas that check them. */
export function optionTables(): string {
  const head = ['option', 'default', 'meaning']
  return [
    table(head, optionRows(BalancerOptions)),
    'Each of `backends` is an address, or an object:',
    table(head, optionRows(BackendOptions)),
  ].join('\n\n')
}

const retries = { elsewhere: 'on another backend', 'fresh-connection': 'on a new connection', never: 'no' }

/** Every way to fail, from the table that the code itself goes by. */
export function failureTable(): string {
  return table(
    ['reason', 'status', 'at fault', 'tried again', 'message'],
    Object.entries(failures).map(([reason, { status, blame, retry, message }]) => [
      `\`${reason}\``,
      String(status),
      blame,
      retries[retry],
      message,
    ]),
  )
}

/** A README with what the code says between its markers. */
export function withTables(readme: string): string {
  const tables = { options: optionTables(), failures: failureTable() }
  return Object.entries(tables).reduce((text, [name, content]) => {
    const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`]
    const [before, rest] = text.split(start)
    const after = rest?.split(end)[1]
    if (after === undefined) throw new Error(`the README has no ${start} … ${end}`)
    return `${before}${start}\n${content}\n${end}${after}`
  }, readme)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , flag, file] = process.argv
  if (flag === '--write' && file !== undefined) writeFileSync(file, withTables(readFileSync(file, 'utf8')))
  else process.stdout.write(`${optionTables()}\n\n${failureTable()}\n`)
}
