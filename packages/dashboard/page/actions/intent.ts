import type { Api } from '../api/api.ts'

/** A number that an action takes. */
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

/** A box that may be ticked; at first it is not. */
interface Choice {
  readonly label: string
  readonly hint: string
}

/** What the operator has entered. */
export interface Entered {
  /** That of the field, if something was. */
  readonly value: number | undefined
  /** The box was ticked. */
  readonly isChosen: boolean
}

/** What an operator is about to do, whatever it is done to. */
export interface Intent {
  readonly label: string
  /** The id of the backend that it is done to; none if it is the whole server. */
  readonly id?: string
  /** What will come of it. */
  readonly consequence: string
  readonly field?: Field
  readonly choice?: Choice
  /** Does it; answers the sentence to say then. @throws ApiError */
  readonly run: (api: Api, entered: Entered) => Promise<string>
}

/** What it is called where it is asked about, or refused. */
export function titleOf({ label, id }: Intent): string {
  return id === undefined ? label : `${label} ${id}`
}
