// Room `import/result`: what an import results in: our file as YAML, and the report of what is not in it.
import { withoutSecrets } from '@fastify-balancer/option-schema'

/** Where something stands in a file that is imported. */
export interface Place {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

/**
 * `left out`: it changes what requests get, and the result does not do it. `differs`: carried over, with a small
 * difference. `not needed`: it has no counterpart, and no effect on what requests get.
 */
type Verdict = 'left out' | 'differs' | 'not needed'

interface Finding {
  readonly place: Place
  readonly verdict: Verdict
  /** The directive as it is written. */
  readonly what: string
  readonly why: string
}

const longest = 80

function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** Everything that could not be carried over as it is. Nothing is dropped without an entry here. */
export class Report {
  readonly #findings: Finding[] = []
  readonly #known = new Set<string>()

  /** The result does not do what this directive says. */
  leaveOut(place: Place, what: string, why: string): void {
    this.#add({ place, verdict: 'left out', what, why })
  }

  /** The result does it, but not in every detail. */
  differs(place: Place, what: string, why: string): void {
    this.#add({ place, verdict: 'differs', what, why })
  }

  /** What requests get is the same without it. */
  notNeeded(place: Place, what: string, why: string): void {
    this.#add({ place, verdict: 'not needed', what, why })
  }

  /** Was nothing left out? */
  get isComplete(): boolean {
    return this.#findings.every(({ verdict }) => verdict !== 'left out')
  }

  /** One line for each entry, in the order of the files' lines, without passwords. */
  lines(): readonly string[] {
    const ordered = this.#findings.toSorted(
      (one, other) => one.place.file.localeCompare(other.place.file) || one.place.line - other.place.line,
    )
    return ordered.map(({ place, verdict, what, why }) =>
      withoutSecrets(`${place.file}:${place.line}: ${verdict}: ${shortened(what)}: ${why}`),
    )
  }

  #add(finding: Finding): void {
    const { place, what, why } = finding
    const key = JSON.stringify([place.file, place.line, what, why])
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.#findings.push(finding)
  }
}
