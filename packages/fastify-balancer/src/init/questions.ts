import { createInterface, type Interface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { CommandError } from '../command-error.ts'
import { checkAnswer, defaults, type AnswerName } from './answers.ts'

/** What is asked, in this order. */
const questions: Readonly<Partial<Record<AnswerName, string>>> = {
  backends: 'Your servers, separated by spaces',
  port: 'Port to listen on',
  host: 'Address to listen on (0.0.0.0 opens it to the network)',
  'health-path': 'Path of the health check (off = no checks)',
  dashboard: 'A live page and the admin API (yes or no)',
}

/** The lines of a terminal, also those that came before they were asked for, as when they are pasted. */
class Lines {
  readonly #terminal: Interface
  readonly #lines: AsyncIterator<string>
  /** No more is typed; what was typed before is still there. */
  #closed = false

  constructor(terminal: Interface) {
    this.#terminal = terminal
    this.#lines = terminal[Symbol.asyncIterator]()
    terminal.once('close', () => (this.#closed = true))
  }

  async ask(question: string, byDefault: string): Promise<string> {
    this.#terminal.setPrompt(`${question} [${byDefault}]: `)
    if (!this.#closed) this.#terminal.prompt()
    const { value, done } = await this.#lines.next()
    if (done === true) throw new CommandError('stopped; nothing was written', 1)
    return value.trim() || byDefault
  }
}

/** Asks until the answer can be used. */
async function usableAnswer(lines: Lines, name: AnswerName, question: string, output: Writable): Promise<string> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one answer after the other
    const text = await lines.ask(question, defaults[name])
    try {
      checkAnswer(name, text)
      return text
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      output.write(`  ${error.message.replace(/; see --help$/, '')}\n`)
    }
  }
}

/**
 * Asks everything that was not given.
 * @throws CommandError when the terminal is closed in between, by Ctrl-C or Ctrl-D
 */
export async function askAnswers(
  given: Partial<Record<AnswerName, string>>,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<Partial<Record<AnswerName, string>>> {
  const terminal = createInterface({ input, output })
  const lines = new Lines(terminal)
  const answers = { ...given }
  try {
    for (const [name, question] of Object.entries(questions) as [AnswerName, string][]) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      answers[name] ??= await usableAnswer(lines, name, question, output)
    }
  } finally {
    terminal.close()
  }
  return answers
}
