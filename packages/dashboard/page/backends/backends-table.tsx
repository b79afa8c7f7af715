// Room `backends`: the table of backends.
import type { RefObject } from 'preact'
import type { ActionKind } from '../actions/actions.ts'
import { BackendRow } from './backend-row.tsx'
import type { Sorting } from './columns.ts'
import { Headings } from './headings.tsx'
import type { Access } from '../live/state.ts'
import type { TrafficById } from '../live/traffic.ts'
import type { BackendView } from '../api/views.ts'

interface BackendsTableProps {
  /** Those to show, in this order. */
  readonly backends: readonly BackendView[]
  /** Revision of the list. */
  readonly revision: number
  readonly traffic: TrafficById
  readonly at: number
  readonly access: Access
  readonly sorting: Sorting | undefined
  readonly onSort: (sorting: Sorting | undefined) => void
  readonly onAction: (kind: ActionKind, backend: BackendView, revision: number) => void
  readonly rows: RefObject<HTMLDivElement | null>
}

/** Backends, one row each. */
export function BackendsTable(props: BackendsTableProps) {
  const { backends, revision, traffic, at, access, sorting, onSort, onAction, rows } = props
  const largestShare = Math.max(0, ...[...traffic.values()].map(({ share }) => share))
  // Ages are shown in whole seconds.
  const second = Math.floor(at / 1000) * 1000
  return (
    <div class="rows" ref={rows}>
      <table role="table" aria-label="Backends">
        <Headings sorting={sorting} onSort={onSort} />
        <tbody role="rowgroup">
          {backends.map((backend) => (
            <BackendRow
              key={backend.id}
              backend={backend}
              traffic={traffic.get(backend.id)}
              largestShare={largestShare}
              at={second}
              canAct={access === 'operator'}
              revision={revision}
              onAction={onAction}
            />
          ))}
        </tbody>
      </table>
    </div>
  )
}
