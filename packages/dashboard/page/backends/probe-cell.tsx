import { age, durationText, nothing } from '../figures-text.ts'
import type { BackendView } from '../api/views.ts'

/** What the last probe brought, and how long ago. */
export function ProbeCell({ backend, at }: { readonly backend: BackendView; readonly at: number }) {
  const probe = backend.health?.lastProbe
  if (probe === undefined) return <>{nothing}</>
  const { good, inconclusive, received, timings } = probe
  return (
    <>
      <span class={good || inconclusive !== undefined ? 'received' : 'received bad'} title={received}>
        {received}
      </span>
      <small>
        {durationText(timings.took)}, {age(at - probe.at)} ago
      </small>
    </>
  )
}
