import type { EventData } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { relative, resolve } from 'node:path'
import { inspect, stripVTControlCharacters, styleText } from 'node:util'

/** How many of the slowest files are named at the end. */
const namedSlow = 10

/** What the runner says when only a test inside has failed, which is told itself. */
const failedInside = 'subtestsFailed'

/** What `node:test` wraps around what a test has thrown. */
interface RunnerError extends Error {
  readonly failureType?: string
}

interface Failure {
  /** With those of the suites around it. */
  readonly name: string
  readonly place: string
  readonly took: number
  readonly error: string
}

type Format = Parameters<typeof styleText>[0]

const colours = process.stdout.hasColors?.() ?? false
const paint = (format: Format, text: string) => (colours ? styleText(format, text, { validateStream: false }) : text)
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`
const indented = (text: string) => text.replaceAll(/^(?=.)/gm, '    ')

/** For people and for logs: a dot for each file that has passed, each failure whole, what was skipped and why, the slowest files. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const run = new Run()
  for await (const { type, data } of events) yield run.hear(type, data)
  yield run.end()
}

/** All that has come of a run so far. */
class Run {
  readonly #started = performance.now()
  readonly #failures: Failure[] = []
  /** How many tests, by the reason that they gave. */
  readonly #skipped = new Map<string, number>()
  readonly #took = new Map<string, number>()
  /** Of the tests that are being told, the outermost first. */
  readonly #names: string[] = []
  /** What each file has printed that is not told yet. */
  readonly #printed = new Map<string, string>()
  #failuresBefore = 0
  #area = ''
  #passed = 0
  #failed = 0

  /** Answers what is to be printed. */
  hear(type: TestEvent['type'], data: TestEvent['data']): string {
    switch (type) {
      case 'test:start':
        this.#name(data as EventData.TestStart)
        return ''
      case 'test:pass':
        this.#pass(data as EventData.TestPass)
        return ''
      case 'test:fail':
        return this.#fail(data as EventData.TestFail)
      case 'test:stdout':
      case 'test:stderr':
        this.#note(data as EventData.TestStdout)
        return ''
      case 'test:summary':
        return this.#summarize(data as EventData.TestSummary)
      default:
        return ''
    }
  }

  #name({ name, nesting }: EventData.TestStart): void {
    this.#names.length = nesting
    this.#names[nesting] = name
  }

  #note({ file, message }: EventData.TestStdout): void {
    // Named as it was asked for: not always whole.
    const whole = resolve(file)
    this.#printed.set(whole, (this.#printed.get(whole) ?? '') + message)
  }

  /** What a file that has failed has printed. */
  #take(file: string): string {
    const printed = this.#printed.get(file)?.trimEnd() ?? ''
    this.#printed.delete(file)
    return printed === '' ? '' : `\n  ${relative(process.cwd(), file)} has printed\n${indented(printed)}\n`
  }

  #pass(data: EventData.TestPass): void {
    if (data.details.type === 'suite') return
    const reason = data.skip ?? data.todo
    if (reason === undefined || reason === false) this.#passed++
    else this.#skip(reason)
  }

  #skip(reason: string | true): void {
    const text = reason === true || reason === '' ? 'no reason given' : reason
    this.#skipped.set(text, (this.#skipped.get(text) ?? 0) + 1)
  }

  #fail({ name, nesting, file, line, column, details, todo }: EventData.TestFail): string {
    const error = details.error as RunnerError
    if (error.failureType === failedInside) return ''
    // What is still to do may fail.
    if (todo !== undefined && todo !== false) {
      this.#skip(todo)
      return ''
    }
    this.#failed++
    const place = file === undefined ? name : `${relative(process.cwd(), file)}:${line ?? 0}:${column ?? 0}`
    const failure = {
      name: [...this.#names.slice(0, nesting), name].join(' › '),
      place,
      took: details.duration_ms,
      error: inspect(error.cause ?? error, { colors: colours }),
    }
    this.#failures.push(failure)
    this.#area = ''
    const told = `\n\n${headOf(failure)}\n  ${place}\n${indented(failure.error)}\n`
    // A file that ends by itself, or cannot be loaded, fails as a whole.
    if (file === undefined || resolve(name) !== file) return told
    this.#took.set(relative(process.cwd(), file), details.duration_ms)
    return `${told}${this.#take(file)}`
  }

  #summarize({ file, duration_ms: took }: EventData.TestSummary): string {
    // The last one is of all.
    if (file === undefined) return ''
    const path = relative(process.cwd(), file)
    this.#took.set(path, took)
    const hasFailed = this.#failures.length > this.#failuresBefore
    const said = this.#take(file)
    this.#failuresBefore = this.#failures.length
    const area = areaOf(path)
    const head = area === this.#area ? '' : `\n${area} `
    this.#area = hasFailed ? '' : area
    return hasFailed ? said : `${head}${paint('green', '·')}`
  }

  end(): string {
    const skipped = [...this.#skipped.values()].reduce((sum, count) => sum + count, 0)
    const took = seconds(performance.now() - this.#started)
    return [
      '\n',
      ...this.#listOf('skipped', [...this.#skipped], ([reason, count]) => `${count} × ${reason}`),
      ...this.#listOf(
        'slowest files',
        [...this.#took].toSorted(([, one], [, other]) => other - one).slice(0, namedSlow),
        ([file, time]) => `${seconds(time).padStart(7)}  ${file}`,
      ),
      ...(this.#failures.length > 0 ? [`${paint('red', '✖ failing tests:')}\n`] : []),
      ...this.#failures.map((failure) => `test at ${failure.place}\n${headOf(failure)}\n${firstLinesOf(failure)}\n`),
      `${this.#took.size} files in ${took}`,
      `${this.#passed} passed, ${this.#failed} failed, ${skipped} skipped`,
      '',
    ].join('\n')
  }

  #listOf<Item>(title: string, items: readonly Item[], line: (item: Item) => string): string[] {
    return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${line(item)}`), '']
  }
}

/** `packages/metrics`, `test/conformance`, … */
function areaOf(path: string): string {
  const parts = path.split('/')
  return parts.slice(0, Math.min(2, parts.length - 1)).join('/') || '.'
}

function headOf({ name, took }: Failure): string {
  return `${paint('red', '✖')} ${name} (${Math.round(took)} ms)`
}

/** Enough to know what it was: a log is read from its end. */
function firstLinesOf({ error }: Failure): string {
  const lines = stripVTControlCharacters(error).split('\n')
  return indented(lines.slice(0, 2).join('\n'))
}
