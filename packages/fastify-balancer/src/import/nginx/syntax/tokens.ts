import { CommandError } from '../../../command-error.ts'
import type { Place } from '../../result/report.ts'

/** A word of the file, or one of `;`, `{` and `}`. */
export interface Token {
  readonly text: string
  readonly isWord: boolean
  readonly place: Place
}

const escapes: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' }

/** nginx takes the backslash only before these; elsewhere, as in a regular expression, it stays. */
function unescaped(character: string): string | undefined {
  return escapes[character] ?? (/["'\\ ]/.test(character) ? character : undefined)
}

/**
 * Splits a file by the rules of nginx's own reader: `#` begins a comment only where a word could begin, quotes only
 * where a word begins, and `${…}` does not open a block. A tokenizer of our own, because no parser of the npm registry
 * tells the line of a directive (nginx-conf, @webantic/nginx-config-parser: values only), and each entry of the report
 * has one.
 * @throws CommandError where a quote is not closed
 */
export class Tokens {
  readonly #text: string
  readonly #file: string
  #position = 0
  #line = 1

  constructor(text: string, file: string) {
    this.#text = text
    this.#file = file
  }

  /** Where reading has come to. */
  get place(): Place {
    return { file: this.#file, line: this.#line }
  }

  /** The next one; undefined at the end of the file. */
  next(): Token | undefined {
    this.#skip()
    const { place } = this
    const character = this.#text[this.#position]
    if (character === undefined) return undefined
    if (/[;{}]/.test(character)) {
      this.#position++
      return { text: character, isWord: false, place }
    }
    const text = /["']/.test(character) ? this.#quoted(character, place) : this.#bare()
    return { text, isWord: true, place }
  }

  /** Passes over a block of another language, such as Lua, whose opening brace has been read. */
  skipBlock(): void {
    for (let depth = 1; depth > 0 && this.#position < this.#text.length;) {
      const character = this.#take()
      if (character === '{') depth++
      else if (character === '}') depth--
    }
  }

  #take(): string {
    const character = this.#text[this.#position++]!
    if (character === '\n') this.#line++
    return character
  }

  #skip(): void {
    for (;;) {
      const character = this.#text[this.#position]
      if (character === '#') {
        const end = this.#text.indexOf('\n', this.#position)
        this.#position = end === -1 ? this.#text.length : end
      } else if (character !== undefined && /[\s\uFEFF]/.test(character)) this.#take()
      else return
    }
  }

  #quoted(quote: string, { file, line }: Place): string {
    this.#position++
    let text = ''
    while (this.#position < this.#text.length) {
      const character = this.#take()
      if (character === quote) return text
      text += character === '\\' ? this.#escape() : character
    }
    throw new CommandError(`${file}:${line}: a quote is opened here and never closed`, 2)
  }

  #bare(): string {
    let text = ''
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position]!
      const isBrace = character === '{' && !text.endsWith('$')
      if (/[\s;]/.test(character) || isBrace) break
      this.#take()
      text += character === '\\' ? this.#escape() : character
    }
    return text
  }

  #escape(): string {
    const next = this.#text[this.#position]
    const plain = next === undefined ? undefined : unescaped(next)
    if (plain === undefined) return '\\'
    this.#take()
    return plain
  }
}
