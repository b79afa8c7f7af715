import { age, clockTime, durationMark } from '../figures-text.ts'
import type { BalancerView, RevisionView } from '../api/views.ts'
import type { Intent } from '../orders/intent.ts'

/** The earlier lists that can be restored, the newest first. */
export function earlierRevisions({ revision, revisions }: BalancerView): readonly RevisionView[] {
  return revisions.filter((one) => one.revision !== revision).toReversed()
}

/** A revision in a line: `revision 3, 14:03:59 (5 min ago), 4 backends`. */
export function revisionText({ revision, at, backends }: RevisionView, now: number): string {
  const size = backends === 1 ? '1 backend' : `${backends} backends`
  return `revision ${revision}, ${clockTime(at)} (${age(now - at)} ago), ${size}`
}

/** Restoring an earlier list, which awaits confirmation. */
export function rollbackIntent(view: BalancerView, to: number | undefined): Intent {
  const { name, drainDeadline } = view
  const within = drainDeadline === 0 ? 'may finish' : `may finish within ${durationMark(drainDeadline)}`
  return {
    title: to === undefined ? 'Roll back' : `Roll back to revision ${to}`,
    consequence: `The list becomes again what it was, as a new revision. Requests in flight to removed backends ${within}.`,
    basis: view,
    canBeForced: true,
    run: async (api, { revision, isForced }) => {
      const set = await api.rollBack(name, to!, { revision, ...(isForced && { force: true }) })
      return `The list is that of revision ${to} again, as revision ${set.revision}.`
    },
  }
}
