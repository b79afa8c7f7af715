import { emitKeypressEvents } from 'node:readline'

/** A key, by its name: `up`, `d`, `ctrl-c`. */
export type Key = string

/** A second screen, without a cursor and without wrapped lines. */
const enter = '\u001B[?1049h\u001B[?25l\u001B[?7l'
const leave = '\u001B[?7h\u001B[?25h\u001B[?1049l'
/** Drawn at once, where the terminal can do that. */
const [begin, end] = ['\u001B[?2026h\u001B[H', '\u001B[J\u001B[?2026l']

interface Pressed {
  readonly name?: string
  readonly sequence?: string
  readonly ctrl?: boolean
}

/** The terminal as a screen of lines, until it is closed. */
export class Terminal {
  readonly #input = process.stdin
  readonly #output = process.stdout
  readonly #close = () => this.close()
  #isOpen = true

  /** Calls `press` for each key, and `resize` when its size has changed. */
  constructor(press: (key: Key) => void, resize: () => void) {
    this.#output.write(enter)
    emitKeypressEvents(this.#input)
    this.#input.setRawMode(true)
    this.#input.on('keypress', (text: string | undefined, { name, sequence, ctrl = false }: Pressed) =>
      press(ctrl ? `ctrl-${name}` : (name ?? text ?? sequence ?? '')),
    )
    this.#input.resume()
    this.#output.on('resize', resize)
    // Also where the process ends by a fault.
    process.once('exit', this.#close)
  }

  get width(): number {
    return this.#output.columns
  }

  get height(): number {
    return this.#output.rows
  }

  /** Shows these lines, as many as there is room for. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return
    const shown = lines.slice(0, this.height).map((line) => `${line}\u001B[K`)
    this.#output.write(begin + shown.join('\r\n') + end)
  }

  /** Leaves everything as it was. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    process.off('exit', this.#close)
    this.#output.removeAllListeners('resize')
    this.#input.removeAllListeners('keypress')
    this.#input.setRawMode(false)
    this.#input.pause()
    this.#output.write(leave)
  }
}
