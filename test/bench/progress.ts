/** Says on stderr what is running and how long it will still take. */
export class Progress {
  /** Requests that have failed so far. */
  errors = 0
  #done = 0
  readonly #steps: number
  readonly #estimate: number
  #startedAt = 0

  /** `estimate`: how many seconds a step takes, until that is known. */
  constructor(steps: number, estimate: number) {
    this.#steps = steps
    this.#estimate = estimate
  }

  /** The next step begins. */
  step(text: string): void {
    if (this.#done === 0) this.#startedAt = performance.now()
    const each = this.#done === 0 ? this.#estimate : (performance.now() - this.#startedAt) / 1000 / this.#done
    this.say(`${text} · ${duration(each * (this.#steps - this.#done))} left`)
    this.#done++
  }

  /** On a terminal one line, which the next one replaces. */
  say(text: string): void {
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  }

  /** A line that stays. */
  warn(text: string): void {
    this.say(`!! ${text}`)
    if (process.stderr.isTTY) process.stderr.write('\n')
  }

  /** Requests have failed. */
  failed(count: number, where: string): void {
    this.errors += count
    this.warn(`${count} requests failed: ${where}`)
  }

  end(): void {
    if (process.stderr.isTTY) this.say('')
  }
}

function duration(seconds: number): string {
  const whole = Math.round(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}
