// Room `orders`: what an operator orders: the form that asks for confirmation, and what came of it.
import type { Api } from '../api/api.ts'
import type { SetView } from '../api/list-views.ts'
import type { Confirmation } from './confirmation.ts'

interface Named {
  /** Of its value in the confirmation. */
  readonly name: string
  readonly label: string
  readonly hint: string
  /** Needed so seldom that it is shown only on demand. */
  readonly isRare?: true
}

/** A field for a number. */
export interface NumberField extends Named {
  readonly kind: 'number'
  readonly isRequired: boolean
  readonly minimum: number
  readonly maximum: number
  /** Fractions are rounded to this. */
  readonly step: number
  readonly initial?: number
}

/** A field for a line of text. */
export interface TextField extends Named {
  readonly kind: 'text'
  readonly isRequired: boolean
  readonly longest: number
  readonly example?: string
}

/** A checkbox, at first unchecked. */
interface Choice extends Named {
  readonly kind: 'choice'
}

/** A field of the form of an order. */
export type Field = NumberField | TextField | Choice

/** An action that awaits confirmation. */
export interface Intent {
  /** Of the dialog, and of its button: `Drain b1`. */
  readonly title: string
  /** What will happen. */
  readonly consequence: string
  /** What will happen to requests in flight and tunnels, by what is entered so far. */
  readonly points?: (entered: Confirmation) => readonly string[]
  /** Why to think twice. */
  readonly warning?: string | undefined
  readonly fields?: readonly Field[]
  /** The list that the order is based on: it is carried out only while that is the current one. */
  readonly basis?: SetView
  /** After a refusal because no usable backend would be left, the operator may insist. */
  readonly canBeForced?: boolean
  /** Does it; resolves with the sentence to show then. @throws ApiError */
  readonly run: (api: Api, confirmation: Confirmation) => Promise<string>
}
