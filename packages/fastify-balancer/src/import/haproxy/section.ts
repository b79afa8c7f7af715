import { CommandError } from '../../command-error.ts'
import type { Report } from '../result/report.ts'
import { fateOf } from './fates.ts'
import { readLines, textOf, type Line } from './lines.ts'

const proxies = new Set(['frontend', 'backend', 'listen'])
const kinds = new Set([
  ...proxies,
  'defaults',
  'global',
  'userlist',
  'peers',
  'resolvers',
  'mailers',
  'program',
  'cache',
])
kinds
  .add('http-errors')
  .add('ring')
  .add('log-forward')
  .add('fcgi-app')
  .add('crt-store')
  .add('traces')
  .add('log-profile')

/** A section, with what it takes over from the `defaults` above it. */
export class Section {
  readonly head: Line
  readonly #lines: Line[] = []
  readonly #defaults: Section | undefined
  readonly #handled = new Set<Line>()

  constructor(head: Line, defaults: Section | undefined) {
    this.head = head
    this.#defaults = defaults
  }

  /** `frontend`, `backend`, `listen`, `defaults`, `global`, … */
  get kind(): string {
    return this.head.words[0]!
  }

  get name(): string {
    return this.head.words[1] ?? ''
  }

  add(line: Line): void {
    this.#lines.push(line)
  }

  /** The lines of this section that begin with these words. */
  own(...beginning: readonly string[]): readonly Line[] {
    const found = this.peek(...beginning)
    this.settle(found)
    return found
  }

  /** The same, without counting them as carried over. */
  peek(...beginning: readonly string[]): readonly Line[] {
    return this.#lines.filter(({ words }) => beginning.every((word, index) => words[index] === word))
  }

  /** Counts lines as carried over. */
  settle(lines: readonly Line[]): void {
    for (const line of lines) this.#handled.add(line)
  }

  /** The last line that begins with these words, here or else in the defaults; `no …` takes it back. */
  get(...beginning: readonly string[]): Line | undefined {
    const line = [...this.own(...beginning), ...this.own('no', ...beginning)]
      .toSorted((one, other) => one.place.line - other.place.line)
      .at(-1)
    if (line !== undefined) return line.words[0] === 'no' ? undefined : line
    return this.#defaults?.get(...beginning)
  }

  /** Lines that were taken over from here, or reported one by one, are not reported again. */
  reportRest(report: Report): void {
    for (const line of this.#lines) {
      if (this.#handled.has(line)) continue
      const { needed, why } = fateOf(this.kind, line.words)
      if (needed) report.leaveOut(line.place, textOf(line), why)
      else report.notNeeded(line.place, textOf(line), why)
    }
  }
}

function defaultsFor(head: Line, sections: readonly Section[]): Section | undefined {
  const from = head.words.indexOf('from')
  const all = sections.filter(({ kind }) => kind === 'defaults')
  return from === -1 ? all.at(-1) : all.find(({ name }) => name === head.words[from + 1])
}

/**
 * The sections of a file.
 * @throws CommandError with exit code 2 where a line stands before the first section
 */
export function readSections(file: string): readonly Section[] {
  const sections: Section[] = []
  for (const line of readLines(file)) {
    const [kind = ''] = line.words
    if (kinds.has(kind)) {
      const inherits = proxies.has(kind) || (kind === 'defaults' && line.words.includes('from'))
      sections.push(new Section(line, inherits ? defaultsFor(line, sections) : undefined))
      continue
    }
    const section = sections.at(-1)
    if (section === undefined)
      throw new CommandError(`${file}:${line.place.line}: ${kind} stands before the first section`, 2)
    section.add(line)
  }
  return sections
}
