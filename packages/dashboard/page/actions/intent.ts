import type { Api } from '../api/api.ts'

/** A number field of an action. */
export interface Field {
  readonly label: string
  readonly hint: string
  readonly isRequired: boolean
  readonly minimum: number
  readonly maximum: number
  /** Fractions are rounded to this. */
  readonly step: number
  readonly initial?: number
}

/** A checkbox, at first unchecked. */
interface Choice {
  readonly label: string
  readonly hint: string
}

/** What the operator has entered. */
export interface Entered {
  /** The number, if any was entered. */
  readonly value: number | undefined
  /** The checkbox is checked. */
  readonly isChosen: boolean
}

/** An action that awaits confirmation. */
export interface Intent {
  /** Of the dialog, and of its button: `Drain b1`. */
  readonly title: string
  /** What will happen. */
  readonly consequence: string
  readonly field?: Field
  readonly choice?: Choice
  /** Does it; resolves with the sentence to show then. @throws ApiError */
  readonly run: (api: Api, entered: Entered) => Promise<string>
}
