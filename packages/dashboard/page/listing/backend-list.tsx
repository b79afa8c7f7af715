import type { ComponentChildren } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { ActionKind } from '../actions/actions.ts'
import { BackendsTable } from '../backends/backends-table.tsx'
import { count } from '../figures-text.ts'
import { headingId, useFocusKept } from '../widgets/lost-focus.ts'
import { arranged, countsOf, found } from './arranged.ts'
import type { Arrangement } from './arrangement.ts'
import { fewRows, OutOfUse } from './out-of-use.tsx'
import { Toolbar } from './toolbar.tsx'
import { useHeld } from './use-held.ts'
import type { Access } from '../live/state.ts'
import type { TrafficById } from '../live/traffic.ts'
import type { BackendView, BalancerView } from '../api/views.ts'

interface BackendListProps {
  readonly view: BalancerView | undefined
  readonly traffic: TrafficById
  readonly at: number
  readonly access: Access
  readonly arrangement: Arrangement
  readonly onArrange: (change: Partial<Arrangement>) => void
  readonly onAction: (kind: ActionKind, backend: BackendView, revision: number) => void
  /** Buttons for the list as a whole. */
  readonly children?: ComponentChildren
}

/** So many rows are drawn at first, and with each click more: a thousand would be slow, and nobody reads them. */
const page = matchMedia('(max-width: 820px)').matches ? 20 : 100

/** The backends of a balancer: what is known of the list, the tools to search it, and the rows. */
export function BackendList(props: BackendListProps) {
  const { view, traffic, at, access, arrangement, onArrange, onAction, children } = props
  const section = useRef<HTMLElement>(null)
  const rows = useRef<HTMLDivElement>(null)
  const [most, setMost] = useState(page)
  useFocusKept(section)
  const all = view?.backends ?? []
  const wanted = useMemo(() => arranged(all, arrangement, traffic), [all, arrangement, traffic])
  const matching = useHeld(rows, arrangement, wanted, all)
  const counts = useMemo(() => countsOf(found(all, arrangement.search)), [all, arrangement.search])
  if (view === undefined) return <p class="note">Loading backends …</p>
  const { backends, policy, revision } = view
  const shown = matching.slice(0, most)
  const find = (id: string) => {
    const index = shown.findIndex((backend) => backend.id === id)
    if (index < 0) onArrange({ search: id, state: undefined })
    else rows.current?.querySelectorAll<HTMLElement>('.more')[index]?.focus()
  }
  const isArranged = arrangement.state !== undefined || arrangement.search !== ''
  const healthy = backends.filter(({ available }) => available).length
  const left = matching.length - shown.length
  return (
    <section class="backends" aria-labelledby={headingId} ref={section}>
      <div class="title">
        <h2 id={headingId} tabIndex={-1}>
          Backends
        </h2>
        <p>
          {healthy} of {backends.length} healthy, policy {policy}, revision {revision}
        </p>
        {children}
      </div>
      {(backends.length > fewRows || isArranged) && (
        <Toolbar
          arrangement={arrangement}
          counts={counts}
          shown={shown.length}
          total={backends.length}
          onChange={onArrange}
        />
      )}
      {!isArranged && <OutOfUse backends={backends} onFind={find} />}
      {backends.length === 0 ? (
        <p class="note">No backends: every request is answered with 503.</p>
      ) : (
        <BackendsTable
          backends={shown}
          revision={revision}
          traffic={traffic}
          at={at}
          access={access}
          sorting={arrangement.sorting}
          onSort={(sorting) => onArrange({ sorting })}
          onAction={onAction}
          rows={rows}
        />
      )}
      {backends.length > 0 && matching.length === 0 && (
        <p class="note none">
          No backend matches.{' '}
          <button type="button" onClick={() => onArrange({ search: '', state: undefined })}>
            Show all
          </button>
        </p>
      )}
      {left > 0 && (
        <button type="button" class="next" onClick={() => setMost(most + page)}>
          Show {count(Math.min(page, left))} more of {count(left)}
        </button>
      )}
    </section>
  )
}
