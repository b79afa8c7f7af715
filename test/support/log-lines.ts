/** A line that the app has logged. */
export type LogLine = Record<string, unknown> & { readonly msg?: string; readonly level: number }

/** The line that ends an exchange. */
export interface ExchangeLine extends LogLine {
  readonly balancer: string
  readonly outcome: string
  readonly url: string
  readonly status: number
  readonly attempts: readonly { readonly backend: string; readonly outcome: string; readonly error?: string }[]
}

/** Catches what an app logs: pass it as Fastify's `logger`. */
export class LogLines {
  readonly all: LogLine[] = []
  readonly level = 'info'
  readonly stream = { write: (line: string) => void this.all.push(JSON.parse(line) as LogLine) }

  /** The lines that end exchanges. */
  get exchanges(): ExchangeLine[] {
    return this.all.filter((line): line is ExchangeLine => 'outcome' in line && 'attempts' in line)
  }
}
