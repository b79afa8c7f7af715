import type { Report } from '../result/report.ts'
import { textOf, type Directive } from './syntax/directive.ts'
import { fateOf } from './fates.ts'

/** Directives that were carried over, or reported one by one. What is not among them when all is done is reported then. */
export type Handled = Set<Directive>

/** The directives of one block, and of those around it, from which it inherits. */
export class Scope {
  readonly directives: readonly Directive[]
  readonly #outer: Scope | undefined
  readonly #handled: Handled

  constructor(directives: readonly Directive[], handled: Handled, outer?: Scope) {
    this.directives = directives
    this.#handled = handled
    this.#outer = outer
  }

  /** The block of a directive within this one. */
  within({ block = [] }: Directive): Scope {
    return new Scope(block, this.#handled, this)
  }

  /** The directives of this name, of the nearest block that has any: nginx does not add up those of several. */
  all(name: string): readonly Directive[] {
    const found = this.own(name)
    return found.length === 0 && this.#outer !== undefined ? this.#outer.all(name) : found
  }

  /** The directive of this name that is in force, for those that may be given once. */
  get(name: string): Directive | undefined {
    return this.all(name).at(-1)
  }

  /** The directives of this name in this very block. */
  own(name: string): readonly Directive[] {
    const found = this.directives.filter((directive) => directive.name === name)
    for (const one of found) this.#handled.add(one)
    return found
  }

  /** What is in the block of a directive that is left out as a whole is not reported line by line. */
  skip(directive: Directive): void {
    this.#handled.add(directive)
    for (const inner of directive.block ?? []) this.skip(inner)
  }

  /** Like `all`, without counting them as carried over. */
  peek(name: string): readonly Directive[] {
    const found = this.directives.filter((directive) => directive.name === name)
    return found.length === 0 && this.#outer !== undefined ? this.#outer.peek(name) : found
  }
}

/** Reports every directive that nobody has handled. */
export function reportRest(directives: readonly Directive[], handled: Handled, report: Report): void {
  for (const directive of directives) {
    const { name, args, place, block } = directive
    if (handled.has(directive)) {
      if (block !== undefined) reportRest(block, handled, report)
      continue
    }
    const { needed, why } = fateOf(name, args)
    if (needed) report.leaveOut(place, textOf(directive), why)
    else report.notNeeded(place, textOf(directive), why)
  }
}
