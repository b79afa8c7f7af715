import { code } from './parts.ts'
import { shownKind } from './faults/shown.ts'

/** One hook, or several. */
export type Hooks<Hook> = Hook | readonly Hook[]

/** Hooks of routes, as an option: one, or several. */
export const hooks = <Hook>(description: string) => code<Hooks<Hook>>(description)

/** The hooks of an option, in the order in which they are called. */
export function hookList<Hook>(given: Hooks<Hook> | undefined): readonly Hook[] {
  return given === undefined ? [] : ([given].flat() as readonly Hook[])
}

/** Faults of the hooks at `place`. */
export function hookFaults(place: string, given: unknown): string[] {
  const wrong = hookList(given).find((hook) => typeof hook !== 'function')
  return wrong === undefined ? [] : [`${place}: expected a function, or an array of functions, got ${shownKind(wrong)}`]
}

/** What is wrong with what should be a function; it may be left out. */
export function functionFaults(place: string, given: unknown): string[] {
  return given === undefined || typeof given === 'function'
    ? []
    : [`${place}: expected a function, got ${shownKind(given)}`]
}
