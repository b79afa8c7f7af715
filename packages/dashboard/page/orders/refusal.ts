import { ApiError } from '../api/api-error.ts'
import type { SetView } from '../api/list-views.ts'
import { differenceOf, isEmpty, type Difference } from './difference.ts'

/** Why an order was not carried out. */
export interface Refusal {
  /** One sentence. */
  readonly text: string
  /** Everything that is wrong with it. */
  readonly faults: readonly string[]
  /** What somebody else has changed meanwhile. */
  readonly meanwhile?: Difference
  /** The list as it is now, if it was changed meanwhile. */
  readonly current?: SetView
  /** The order can be corrected, or given again. */
  readonly isOpen: boolean
  /** No usable backend would be left. */
  readonly isDangerous: boolean
}

/** What it is about is gone, or the viewer may not do it: nothing that is entered differently could help. */
const final = new Set([401, 403, 404])

function sentence(title: string, why: string): string {
  return `${title} failed: ${why.replace(/\.$/, '')}.`
}

function conflict(title: string, basis: SetView, current: SetView): Refusal {
  const meanwhile = differenceOf(basis, current)
  const why = `the list was changed meanwhile (revision ${basis.revision} → ${current.revision}). Nothing was done`
  return {
    text: sentence(title, why),
    faults: isEmpty(meanwhile) ? ['The order of the backends, or an option that is not shown here.'] : [],
    meanwhile,
    current,
    isOpen: true,
    isDangerous: false,
  }
}

/** Tells an operator why an order failed. `basis`: the list that it was based on. */
export function refusalOf(title: string, error: unknown, basis: SetView | undefined): Refusal {
  if (!(error instanceof ApiError))
    return { text: sentence(title, String(error)), faults: [], isOpen: true, isDangerous: false }
  const { status, message, faults, current } = error
  if (status === 412 && basis !== undefined && current !== undefined) return conflict(title, basis, current)
  const rest = { isOpen: !final.has(status), isDangerous: status === 409 }
  if (faults.length > 1) return { text: `${title} failed, for ${faults.length} reasons:`, faults, ...rest }
  return { text: sentence(title, faults[0] ?? message), faults: [], ...rest }
}
