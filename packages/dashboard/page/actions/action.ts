import type { Api } from '../api/api.ts'
import type { BackendView } from '../api/views.ts'
import type { Confirmation } from '../orders/confirmation.ts'
import type { Field } from '../orders/intent.ts'
import type { Subject } from './subject.ts'

/** An action on a backend, as its menu offers it. */
export interface Action {
  /** In the menu. */
  readonly label: string
  /** Of the dialog, and of its button. */
  readonly title: (id: string) => string
  readonly fields?: (subject: Subject) => readonly Field[]
  /** What will happen. */
  readonly consequence: (backend: BackendView) => string
  /** What will happen to requests in flight and tunnels. */
  readonly points?: (subject: Subject, entered: Confirmation) => readonly string[]
  /** Why to think twice. */
  readonly warning?: (subject: Subject) => string | undefined
  /** Only while the list is as the operator has seen it. */
  readonly isConditional?: true
  /** The operator may insist if no usable backend would be left. */
  readonly canBeForced?: true
  /** Does it make sense for this backend, as it is? */
  readonly isOffered: (backend: BackendView) => boolean
  /** Does it; resolves with the outcome, as a predicate of the backend. @throws ApiError */
  readonly run: (api: Api, subject: Subject, confirmation: Confirmation) => Promise<string>
}
