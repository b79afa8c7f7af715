import type { BackendView, BalancerView } from '../api/views.ts'

/** What a row shows of a backend, and what it is searched by. */
function shown({
  url,
  protocol,
  weight,
  effectiveWeight,
  priority,
  maxInFlight,
  zone,
  tags,
  state,
  available,
  eligible,
  instances,
  vetoes,
  inFlight,
  limit,
  tunnels,
  circuit,
  health,
}: BackendView): string {
  const { state: held, reason, since } = circuit ?? {}
  const seen = [
    url,
    protocol ?? null,
    weight,
    effectiveWeight,
    priority,
    maxInFlight,
    zone ?? null,
    tags,
    state,
    available,
    eligible,
    instances ?? null,
    vetoes,
    inFlight,
    limit,
    tunnels,
    held,
    reason,
    since,
    health?.state,
    health?.lastProbe?.at,
    health?.notEjected?.since,
  ]
  return JSON.stringify([...seen, circuit === undefined, health === undefined])
}

/** The view, with unchanged backends taken from the earlier one, so that they are not rendered again. */
export function withSameBackends(view: BalancerView, before: BalancerView | undefined): BalancerView {
  if (before === undefined) return view
  const known = new Map(before.backends.map((backend) => [backend.id, backend]))
  const backends = view.backends.map((backend) => {
    const earlier = known.get(backend.id)
    return earlier !== undefined && shown(earlier) === shown(backend) ? earlier : backend
  })
  return { ...view, backends }
}
