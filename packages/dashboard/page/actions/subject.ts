import { durationMark, tunnelsText } from '../figures-text.ts'
import type { BackendView, BalancerView } from '../api/views.ts'

/** What an action is done to. */
export interface Subject {
  readonly backend: BackendView
  /** The list that the operator sees. */
  readonly view: BalancerView
}

function requestsText(count: number): string {
  return count === 1 ? 'The request in flight' : `${count} requests in flight`
}

/** What a drain does to requests in flight and to tunnels. `deadline` in ms; 0 = none. */
export function drainPoints({ inFlight, tunnels }: BackendView, deadline: number): readonly string[] {
  const within = deadline === 0 ? ', however long that takes' : ` within ${durationMark(deadline)}`
  const then = deadline === 0 ? '' : inFlight === 1 ? '; then it is aborted' : '; then they are aborted'
  const requests =
    inFlight === 0 ? 'No requests are in flight now.' : `${requestsText(inFlight)} may finish${within}${then}.`
  if (tunnels === 0) return [requests]
  const closed = tunnels === 1 ? 'it is closed' : 'they are closed'
  const end = deadline === 0 ? 'until their clients close them' : `for ${durationMark(deadline)}; then ${closed}`
  return [requests, `${tunnelsText(tunnels)} (WebSocket and the like) may stay open ${end}.`]
}

/** What becomes of them when they are aborted at once. */
export function abortPoints({ inFlight, tunnels }: BackendView): readonly string[] {
  const requests =
    inFlight === 0
      ? 'No requests are in flight now.'
      : `${requestsText(inFlight)} ${inFlight === 1 ? 'is' : 'are'} aborted at once.`
  if (tunnels === 0) return [requests]
  return [requests, `${tunnelsText(tunnels)} (WebSocket and the like) ${tunnels === 1 ? 'is' : 'are'} closed at once.`]
}

/** An operator has taken it out of rotation. */
function isOrdered({ vetoes }: BackendView): boolean {
  return vetoes.some(({ hard }) => hard)
}

/** Why to think twice before a backend is taken out of rotation. */
export function lastOneWarning({ backend, view }: Subject): string | undefined {
  if (isOrdered(backend)) return undefined
  const others = view.backends.filter((one) => one.id !== backend.id && !isOrdered(one))
  if (others.length === 0) return 'It is the last backend in rotation: without it, requests are answered with 503.'
  if (backend.available && !others.some(({ available }) => available))
    return 'It is the only healthy backend. Without it, requests are tried on unhealthy ones (panic mode), or fail.'
  return undefined
}
