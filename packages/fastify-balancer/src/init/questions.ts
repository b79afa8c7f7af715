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

async function ask(terminal: Interface, name: AnswerName, question: string, signal: AbortSignal): Promise<string> {
  const text = await terminal.question(`${question} [${defaults[name]}]: `, { signal })
  return text.trim() === '' ? defaults[name] : text.trim()
}

/** Asks until the answer can be used. */
async function usableAnswer(
  terminal: Interface,
  name: AnswerName,
  question: string,
  { output, signal }: { readonly output: Writable; readonly signal: AbortSignal },
): Promise<string> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one answer after the other
    const text = await ask(terminal, name, question, signal)
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
  const closed = new AbortController()
  terminal.once('close', () => closed.abort())
  const answers = { ...given }
  try {
    for (const [name, question] of Object.entries(questions) as [AnswerName, string][]) {
      // oxlint-disable-next-line no-await-in-loop -- one question after the other
      answers[name] ??= await usableAnswer(terminal, name, question, { output, signal: closed.signal })
    }
  } catch (error) {
    if (!closed.signal.aborted) throw error
    throw new CommandError('stopped; nothing was written', 1)
  } finally {
    terminal.close()
  }
  return answers
}
