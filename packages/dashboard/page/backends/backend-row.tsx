import { useId, useState } from 'preact/hooks'
import type { ActionKind } from '../actions/actions.ts'
import { ActionsMenu } from '../actions/actions-menu.tsx'
import { Details } from './details.tsx'
import { ErrorsCell } from './errors-cell.tsx'
import { count, durationText, nothing, percent, tunnelsText } from '../figures-text.ts'
import { ProbeCell } from './probe-cell.tsx'
import { memo } from '../widgets/memo.ts'
import { RowToggle } from './row-toggle.tsx'
import { Sparkline } from '../charts/sparkline.tsx'
import { StateCell } from './state-cell.tsx'
import type { Traffic } from '../live/traffic.ts'
import type { BackendView } from '../api/views.ts'

interface BackendRowProps {
  readonly backend: BackendView
  /** Revision of the list. */
  readonly revision: number
  readonly traffic: Traffic | undefined
  /** The largest share of all backends. */
  readonly largestShare: number
  readonly at: number
  readonly canAct: boolean
  readonly onAction: (kind: ActionKind, backend: BackendView, revision: number) => void
}

/** The bar is relative to the largest share: with a hundred backends, it would be invisible otherwise. */
function Share({ share, largest }: { readonly share: number; readonly largest: number }) {
  return (
    <>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${largest === 0 ? 0 : (100 * share) / largest}%` }} />
      </span>
      <span class="number">{percent(share)}</span>
    </>
  )
}

function Weight({ backend: { weight, effectiveWeight } }: { readonly backend: BackendView }) {
  if (Math.abs(weight - effectiveWeight) < 0.005) return <>{weight}</>
  return (
    <>
      {count(effectiveWeight)} <small>of {weight}</small>
    </>
  )
}

function InFlight({ now, limit, tunnels }: { readonly now: number; readonly limit: number; readonly tunnels: number }) {
  return (
    <>
      <span class={now >= limit ? 'burning' : undefined}>{count(now)}</span> <small>of {count(limit)}</small>
      {tunnels > 0 && <small class="tunnels">{tunnelsText(tunnels)}</small>}
    </>
  )
}

function Row({ backend, revision, traffic, largestShare, at, canAct, onAction }: BackendRowProps) {
  const [isOpen, setOpen] = useState(false)
  const detailsId = useId()
  const { id, url } = backend
  const p95 = traffic?.p95 ?? null
  return (
    <>
      <tr role="row" class={isOpen ? 'opened' : undefined}>
        <th role="rowheader" scope="row" class="backend">
          <RowToggle name={id} isOpen={isOpen} controls={detailsId} onToggle={() => setOpen(!isOpen)} />
          <span class="id">{id}</span> {url !== id && <small class="url">{url.replace(/^http:\/\//, '')}</small>}
        </th>
        <td role="cell" class="state">
          <StateCell backend={backend} at={at} />
        </td>
        <td role="cell" class="share" data-label="Share">
          <Share share={traffic?.share ?? 0} largest={largestShare} />
        </td>
        <td role="cell" class="in-flight" data-label="In flight">
          <InFlight
            now={traffic?.inFlight ?? backend.inFlight}
            limit={backend.limit}
            tunnels={traffic?.tunnels ?? backend.tunnels}
          />
        </td>
        <td role="cell" class="rate" data-label="Rate">
          {traffic === undefined ? nothing : count(traffic.rate)}
          <small>/s</small>
        </td>
        <td role="cell" class="errors" data-label="Errors">
          <ErrorsCell traffic={traffic} />
        </td>
        <td role="cell" class="p95" data-label="p95">
          <span class="number">{durationText(p95)}</span>
          <Sparkline name={`p95 of ${id} over a minute`} traffic={traffic} />
        </td>
        <td role="cell" class="probe" data-label="Last probe">
          <ProbeCell backend={backend} at={at} />
        </td>
        <td role="cell" class="weight" data-label="Weight">
          <Weight backend={backend} />
        </td>
        <td role="cell" class="actions">
          <ActionsMenu backend={backend} canAct={canAct} onChoose={(kind) => onAction(kind, backend, revision)} />
        </td>
      </tr>
      {isOpen && (
        <tr role="row" class="details" id={detailsId}>
          <td role="cell" colSpan={10}>
            <Details backend={backend} at={at} />
          </td>
        </tr>
      )}
    </>
  )
}

/** One backend. */
export const BackendRow = memo(Row)
