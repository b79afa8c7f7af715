// Room `backends`: the table of backends.
import { useRef } from 'preact/hooks'
import type { ActionKind } from '../actions/actions.ts'
import { BackendRow } from './backend-row.tsx'
import { headingId, useFocusKept } from '../widgets/lost-focus.ts'
import { OutOfUse } from './out-of-use.tsx'
import type { Access } from '../live/state.ts'
import type { TrafficById } from '../live/traffic.ts'
import type { BackendView, BalancerView } from '../api/views.ts'

interface BackendsTableProps {
  readonly view: BalancerView | undefined
  readonly traffic: TrafficById
  readonly at: number
  readonly access: Access
  readonly onAction: (kind: ActionKind, backend: BackendView, revision: number) => void
}

const columns = ['Backend', 'State', 'Share', 'In flight', 'Rate', 'Errors', 'p95', 'Probe', 'Weight', 'Actions']

/** Every backend, one row each. */
export function BackendsTable({ view, traffic, at, access, onAction }: BackendsTableProps) {
  const section = useRef<HTMLElement>(null)
  const rows = useRef<HTMLDivElement>(null)
  useFocusKept(section)
  if (view === undefined) return <p class="note">Loading backends …</p>
  const { backends, policy, revision } = view
  const find = (id: string) => {
    const index = backends.findIndex((backend) => backend.id === id)
    rows.current?.querySelectorAll<HTMLElement>('.more')[index]?.focus()
  }
  const largestShare = Math.max(0, ...[...traffic.values()].map(({ share }) => share))
  // Ages are shown in whole seconds.
  const second = Math.floor(at / 1000) * 1000
  const healthy = backends.filter(({ available }) => available).length
  return (
    <section class="backends" aria-labelledby={headingId} ref={section}>
      <div class="title">
        <h2 id={headingId} tabIndex={-1}>
          Backends
        </h2>
        <p>
          {healthy} of {backends.length} healthy, policy {policy}, revision {revision}
        </p>
      </div>
      <OutOfUse backends={backends} onFind={find} />
      {backends.length === 0 ? (
        <p class="note">No backends: every request is answered with 503.</p>
      ) : (
        <div class="rows" ref={rows}>
          <table role="table" aria-label="Backends">
            <thead role="rowgroup">
              <tr role="row">
                {columns.map((name) => (
                  <th key={name} role="columnheader" scope="col" class={name.toLowerCase().replace(' ', '-')}>
                    <span>{name}</span>
                  </th>
                ))}
              </tr>
            </thead>
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
      )}
    </section>
  )
}
