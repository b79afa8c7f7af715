import { readFileSync } from 'node:fs'
import { CommandError } from '../../command-error.ts'
import type { Place } from '../result/report.ts'

/** One line of the file, in words. */
export interface Line {
  readonly words: readonly string[]
  readonly place: Place
}

/** The line as it is written, with single spaces. */
export function textOf({ words }: Line): string {
  return words.join(' ')
}

/** `$NAME` or `${NAME}`, as it may stand between double quotes. */
const variable = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/y

/** Reads one line by HAProxy's rules: `#` begins a comment, a backslash takes the next character, quotes hold blanks. */
class LineReader {
  readonly #text: string
  readonly #place: Place
  readonly #words: string[] = []
  #position = 0
  #word: string | undefined

  constructor(text: string, place: Place) {
    this.#text = text
    this.#place = place
  }

  words(): readonly string[] {
    for (; this.#position < this.#text.length; this.#position++) {
      const character = this.#text[this.#position]!
      if (character === '#') break
      if (character === '\\') this.#add(this.#text[++this.#position] ?? '')
      else if (character === '"' || character === "'") this.#quoted(character)
      else if (/\s/.test(character)) this.#end()
      else this.#add(character)
    }
    this.#end()
    return this.#words
  }

  #quoted(quote: string): void {
    this.#add('')
    while (++this.#position < this.#text.length) {
      const character = this.#text[this.#position]!
      if (character === quote) return
      if (quote === '"' && character === '\\') this.#add(this.#text[++this.#position] ?? '')
      else if (quote === '"' && character === '$') this.#add(this.#variable())
      else this.#add(character)
    }
    throw this.#fault('a quote is opened here and never closed')
  }

  /** HAProxy puts in what its environment has; so do we, with ours. */
  #variable(): string {
    variable.lastIndex = this.#position
    const match = variable.exec(this.#text)
    if (match === null) return '$'
    const name = match[1] ?? match[2]!
    const value = process.env[name]
    if (value === undefined) throw this.#fault(`the variable ${name} is not set: set it as HAProxy has it`)
    this.#position += match[0].length - 1
    return value
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text
  }

  #end(): void {
    if (this.#word !== undefined) this.#words.push(this.#word)
    this.#word = undefined
  }

  #fault(message: string): CommandError {
    return new CommandError(`${this.#place.file}:${this.#place.line}: ${message}`, 2)
  }
}

/**
 * The lines of a file that say something. A reader of our own: the npm registry has no parser for HAProxy's files.
 * @throws CommandError where a quote is not closed, or a variable is not set
 */
export function readLines(file: string): readonly Line[] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((text, index) => {
      const place = { file, line: index + 1 }
      return { words: new LineReader(text, place).words(), place }
    })
    .filter(({ words }) => words.length > 0)
}
