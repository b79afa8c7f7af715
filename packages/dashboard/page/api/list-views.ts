/** What the admin routes tell of lists of backends and their changes, and of the options in force. */

import type { BackendView } from './views.ts'

/** All backends of a balancer at one revision. */
export interface SetView {
  readonly revision: number
  readonly backends: readonly BackendView[]
}

/** The settings of a backend, as far as a list holds them. */
export type Settings = Pick<BackendView, 'url' | 'weight' | 'priority' | 'maxInFlight' | 'zone' | 'tags'> & {
  readonly protocol?: string
}

/** What a change of the list would do. */
export interface PreviewView {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly id: string; readonly from: Settings; readonly to: Settings }[]
  /** Why it would be refused. */
  readonly faults: readonly string[]
}

type Options = Readonly<Record<string, unknown>>

/** The options in force, without secrets. */
export interface ConfigurationView {
  readonly options: Options
  /** Of extensions, by their names. */
  readonly extensions: Readonly<Record<string, Options>>
  readonly backends: readonly Options[]
}
