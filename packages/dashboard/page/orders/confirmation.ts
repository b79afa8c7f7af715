/** What the operator has entered into the form of an order, by the names of its fields. */
export class Confirmation {
  readonly #values: Readonly<Record<string, unknown>>
  /** Revision of the list that the operator has seen. */
  readonly revision: number | undefined
  /** The operator insists, after a refusal. */
  readonly isForced: boolean

  constructor(
    values: Readonly<Record<string, unknown>>,
    { revision, isForced = false }: { readonly revision?: number | undefined; readonly isForced?: boolean } = {},
  ) {
    this.#values = values
    this.revision = revision
    this.isForced = isForced
  }

  /** undefined if the field is empty. */
  text(name: string): string | undefined {
    const text = this.#values[name]
    return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined
  }

  /** undefined if the field is empty. */
  number(name: string): number | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : Number(text)
  }

  /** A number of seconds, in whole ms. */
  milliseconds(name: string): number | undefined {
    const seconds = this.number(name)
    return seconds === undefined ? undefined : Math.round(1000 * seconds)
  }

  /** The checkbox is checked. */
  isChosen(name: string): boolean {
    return this.#values[name] !== undefined
  }
}
