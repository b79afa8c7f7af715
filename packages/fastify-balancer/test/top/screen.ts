import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { until } from '../../../../test/support/until.ts'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** A terminal on which the command runs. */
export class Screen {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  /** Everything that was written to it. */
  raw = ''
  /** The exit code. */
  readonly exit: Promise<number | null>

  constructor(t: TestContext, size: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const script = fileURLToPath(new URL('terminal.py', import.meta.url))
    const inherited = { ...process.env, NODE_TEST_CONTEXT: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined }
    this.#child = spawn('python3', [script, size, process.execPath, cli, 'top', ...args], {
      env: { ...inherited, TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout.on('data', (chunk) => (this.raw += String(chunk)))
    this.exit = once(this.#child, 'close').then(([code]) => code as number | null)
    t.after(async () => {
      // Its own end closes the terminal, which ends the command.
      this.#child.kill('SIGKILL')
      await this.exit
    })
  }

  /** What stands on it: each picture is written whole, from the upper left corner on. */
  get lines(): readonly string[] {
    const last = this.raw.split('\u001B[H').at(-1)!
    // The end of a picture has not come yet: the one before it stands there.
    const whole = last.includes('\u001B[J') ? last : (this.raw.split('\u001B[H').at(-2) ?? '')
    return stripVTControlCharacters(whole).split(/\r+\n/)
  }

  get text(): string {
    return this.lines.join('\n')
  }

  keys(text: string): void {
    this.#child.stdin.write(`keys ${JSON.stringify(text)}\n`)
  }

  resize(size: string): void {
    this.#child.stdin.write(`size ${size}\n`)
  }

  /** Waits until it shows this. */
  async shows(pattern: RegExp): Promise<void> {
    await until(`it shows ${pattern}`, () => pattern.test(this.text), 30_000).catch((error: unknown) => {
      throw new Error(`it shows\n${this.text}`, { cause: error })
    })
  }
}
