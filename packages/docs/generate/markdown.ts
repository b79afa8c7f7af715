/** The cells of one row of a table. */
export type Row = readonly string[]

const line = (row: Row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`

/** A table of GitHub's Markdown. */
export function table(head: Row, rows: readonly Row[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text as code, within a sentence or a cell. */
export const code = (text: string) => (text === '' ? '' : `\`${text}\``)

/** A cell that links can lead to: `anchor`, and then its content. */
export const anchored = (anchor: string, content: string) => `<a id="${anchor}"></a>${content}`

/** A page: a title, a sentence about it, and the rest. */
export function page(title: string, about: string, ...parts: readonly string[]): string {
  return [`# ${title}`, written, about, ...parts].filter((part) => part !== '').join('\n\n') + '\n'
}

const written = '<!-- Written by `node packages/docs/generate/reference.ts --write` from the source: change that. -->'
