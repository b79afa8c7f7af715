import { count } from '../figures-text.ts'
import type { PolicyDetails } from '../api/views.ts'

/** `responseTime` → `response time` */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function valueText(value: PolicyDetails[string]): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' ? count(value) : value
}

/** What a policy tells, in one line. */
export function detailsText(details: PolicyDetails): string {
  return Object.entries(details)
    .map(([name, value]) => `${words(name)}: ${valueText(value)}`)
    .join('; ')
}
