// Room `import/nginx/syntax`: the words and directives of a configuration file of nginx.
import { globSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { CommandError } from '../../../command-error.ts'
import type { Place } from '../../result/report.ts'
import { Tokens } from './tokens.ts'

/** One directive, with those of its block. */
export interface Directive {
  readonly name: string
  readonly args: readonly string[]
  readonly place: Place
  readonly block?: readonly Directive[]
}

/** As it is written, without its block. */
export function textOf({ name, args }: Directive): string {
  return [name, ...args].join(' ')
}

/** nginx gives up on circles of `include` by running out of files; this is deeper than anybody nests. */
const deepest = 20

/** Deeper than blocks are nested in earnest; each level takes room on the stack. */
const deepestBlock = 100

/** Reads a file of directives and what it includes; included names are relative to the first file, as in nginx. */
class Reader {
  readonly #base: string
  readonly #shown: string
  /** How many blocks are open. */
  #open = 0

  constructor(file: string) {
    this.#base = dirname(resolve(file))
    this.#shown = dirname(file)
  }

  read(path: string, shownAs: string, depth = 0): readonly Directive[] {
    if (depth > deepest) throw new CommandError(`${shownAs}: files include each other in a circle`, 2)
    const tokens = new Tokens(readFileSync(path, 'utf8'), shownAs)
    return this.#block(tokens, depth)
  }

  /** Directives up to the end of the file, or of the block that begins at `opened`. */
  #block(tokens: Tokens, depth: number, opened?: Place): readonly Directive[] {
    const directives: Directive[] = []
    for (;;) {
      const token = tokens.next()
      if (token === undefined) {
        if (opened === undefined) return directives
        throw new CommandError(`${opened.file}:${opened.line}: the block that is opened here is never closed`, 2)
      }
      const { text, isWord, place } = token
      if (isWord) directives.push(...this.#included(this.#directive(tokens, text, place, depth), depth))
      else if (text === '}' && opened !== undefined) return directives
      else throw new CommandError(`${place.file}:${place.line}: unexpected ${text}`, 2)
    }
  }

  #directive(tokens: Tokens, name: string, place: Place, depth: number): Directive {
    const args: string[] = []
    for (;;) {
      const token = tokens.next()
      if (token === undefined || (token.text === '}' && !token.isWord))
        throw new CommandError(`${place.file}:${place.line}: ${name} has no ; at its end`, 2)
      if (token.isWord) args.push(token.text)
      else if (token.text === ';') return { name, args, place }
      else if (name.endsWith('_by_lua_block')) {
        tokens.skipBlock()
        return { name, args, place, block: [] }
      } else return { name, args, place, block: this.#inner(tokens, depth, place) }
    }
  }

  #inner(tokens: Tokens, depth: number, place: Place): readonly Directive[] {
    if (this.#open === deepestBlock)
      throw new CommandError(`${place.file}:${place.line}: blocks are nested too deeply`, 2)
    this.#open++
    const block = this.#block(tokens, depth, place)
    this.#open--
    return block
  }

  #included(directive: Directive, depth: number): readonly Directive[] {
    const { name, args, place } = directive
    const [pattern] = args
    if (name !== 'include' || pattern === undefined) return [directive]
    const path = resolve(this.#base, pattern)
    const files = /[*?[]/.test(pattern) ? globSync(path).sort() : [path]
    return files.flatMap((file) => {
      const shown = pattern.startsWith('/')
        ? file
        : `${this.#shown === '.' ? '' : `${this.#shown}/`}${relative(this.#base, file)}`
      try {
        return this.read(file, shown, depth + 1)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error
        // A table of content types that is not at hand changes nothing; anything else will be reported as left out.
        return [{ name, args, place }]
      }
    })
  }
}

/**
 * The directives of a file.
 * @throws CommandError with the place where it cannot be read
 */
export function readDirectives(file: string): readonly Directive[] {
  return new Reader(file).read(file, file)
}
