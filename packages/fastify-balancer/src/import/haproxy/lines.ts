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

/** HAProxy's rules for one line: `#` begins a comment, a backslash takes the next character, quotes hold blanks. */
function wordsOf(text: string, { file, line }: Place): readonly string[] {
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    if (character === '\\' && quote !== "'") word = (word ?? '') + (text[++index] ?? '')
    else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character
      word ??= ''
    } else if (character === quote) quote = undefined
    else if (quote === undefined && character === '#') break
    else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (quote !== undefined) throw new CommandError(`${file}:${line}: a quote is opened here and never closed`, 2)
  return word === undefined ? words : [...words, word]
}

/**
 * The lines of a file that say something. A reader of our own: the npm registry has no parser for HAProxy's files.
 * @throws CommandError where a quote is not closed
 */
export function readLines(file: string): readonly Line[] {
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((text, index) => {
      const place = { file, line: index + 1 }
      return { words: wordsOf(text, place), place }
    })
    .filter(({ words }) => words.length > 0)
}
