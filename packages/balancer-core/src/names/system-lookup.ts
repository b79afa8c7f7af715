import dns from 'node:dns'
import { addressOf } from './addresses/address.ts'
import { found, type Finding } from './finding.ts'

/**
 * How many names the system is asked for at once, by all balancers of this process: each takes one of the (by default)
 * four threads of libuv, of which only half may wait for names.
 */
const most = 2

/**
 * What is known of a name that the system is asked for: it has found it before; no name server knows it; or none has
 * answered, so that the system may take long, too. The first go first.
 */
const standings = ['found', 'unknown', 'unanswered'] as const
type Standing = (typeof standings)[number]

interface Question {
  readonly name: string
  readonly standing: Standing
  readonly tell: (finding: Finding) => void
}

const negative = new Set<string | undefined>(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EAI_NONAME'])

function findingOf(error: NodeJS.ErrnoException | null, records: readonly dns.LookupAddress[] = []): Finding {
  if (error === null) return { ...found(records.flatMap(({ address }) => addressOf(address) ?? [])), bySystem: true }
  return { addresses: [], unanswered: negative.has(error.code) ? [] : [4, 6], passedOver: false, error }
}

/** Asks the system for names that only it may know: of mDNS, of a VPN, or of other sources of nsswitch.conf. */
class SystemLookup {
  readonly #waiting = new Set<Question>()
  readonly #underWay = new Set<Question>()

  /** What it answers takes the question back, if it was not asked yet. */
  find(name: string, standing: Standing, tell: (finding: Finding) => void): () => void {
    const question: Question = { name, standing, tell }
    this.#waiting.add(question)
    this.#next()
    return () => void this.#waiting.delete(question)
  }

  #next(): void {
    // Names for which no name server answers take long here, too: together they have one place.
    const isHeldBack = [...this.#underWay].some(({ standing }) => standing === 'unanswered')
    for (const standing of standings) {
      for (const question of this.#waiting) {
        if (question.standing !== standing) continue
        if (this.#underWay.size >= most || (isHeldBack && standing === 'unanswered')) return
        this.#ask(question)
        this.#next()
        return
      }
    }
  }

  #ask(question: Question): void {
    this.#waiting.delete(question)
    this.#underWay.add(question)
    const answered = (error: NodeJS.ErrnoException | null, records?: readonly dns.LookupAddress[]) => {
      this.#underWay.delete(question)
      question.tell(findingOf(error, records))
      this.#next()
    }
    dns.lookup(question.name, { all: true, verbatim: true }, answered)
  }
}

/** One for the process, for its threads are. */
export const systemLookup = new SystemLookup()
