import { count, wordsOf } from '../figures-text.ts'
import type { PolicyDetails } from '../api/explanation-view.ts'

function valueText(value: PolicyDetails[string]): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' ? count(value) : value
}

/** What a policy tells, in one line. */
export function detailsText(details: PolicyDetails): string {
  return Object.entries(details)
    .map(([name, value]) => `${wordsOf(name)}: ${valueText(value)}`)
    .join('; ')
}
