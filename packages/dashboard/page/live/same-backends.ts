import type { BackendView, BalancerView } from '../api/views.ts'

/** All of a backend that the page shows. */
function shown({
  url,
  weight,
  effectiveWeight,
  state,
  available,
  vetoes,
  inFlight,
  circuit,
  health,
}: BackendView): string {
  const { state: held, reason, since } = circuit ?? {}
  const seen = [url, weight, effectiveWeight, state, available, vetoes, inFlight, held, reason, since, health?.state]
  return JSON.stringify([...seen, circuit === undefined, health === undefined])
}

/** The view, with those backends of the earlier one that look the same: what has not changed is not rendered again. */
export function withSameBackends(view: BalancerView, before: BalancerView | undefined): BalancerView {
  if (before === undefined) return view
  const known = new Map(before.backends.map((backend) => [backend.id, backend]))
  const backends = view.backends.map((backend) => {
    const earlier = known.get(backend.id)
    return earlier !== undefined && shown(earlier) === shown(backend) ? earlier : backend
  })
  return { ...view, backends }
}
