import dns from 'node:dns'
import { addressOf } from './addresses/address.ts'
import { found, type Finding } from './finding.ts'

/**
 * How many look-ups the system does at once, for all balancers of this process: each occupies one of libuv's threads
 * (four by default), and at most half of them may wait for names.
 */
const most = 2

/**
 * Why the system is asked for a name, in order of precedence: it has found it before; no name server knows it; or none
 * responded, so that the system may take long too.
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

/** Asks the system for names that only it may know: mDNS, a VPN, or other sources of nsswitch.conf. */
class SystemLookup {
  readonly #waiting = new Set<Question>()
  readonly #underWay = new Set<Question>()

  /** Returns a function that cancels the question if it was not asked yet. */
  find(name: string, standing: Standing, tell: (finding: Finding) => void): () => void {
    const question: Question = { name, standing, tell }
    this.#waiting.add(question)
    this.#next()
    return () => void this.#waiting.delete(question)
  }

  #next(): void {
    // Names for which no name server responds take long here too: they share one place.
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

/** One for the whole process, since its threads are shared. */
export const systemLookup = new SystemLookup()
