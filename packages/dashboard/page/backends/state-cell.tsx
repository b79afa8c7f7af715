import { Clock, Since } from './moments.tsx'
import { StateSymbol } from './state-symbol.tsx'
import { stateWord } from './state-word.ts'
import { left } from './time-left.ts'
import type { BackendView, CircuitView, VetoView } from '../api/views.ts'

interface At {
  readonly at: number
}

/** The state itself says whether an order is a drain or maintenance. */
const orders = new Set(['drain', 'maintenance'])

function Order({ veto: { reason, since, who, until }, at }: At & { readonly veto: VetoView }) {
  // The usual reason only names the operator once more.
  const says = who === undefined || reason !== `ordered by ${who}`
  return (
    <li>
      {who !== undefined && (
        <>
          by <b>{who}</b>,{' '}
        </>
      )}
      {says && `${reason}, `}since <Clock time={since} />
      {until !== undefined && (
        <>
          {' '}
          until <Clock time={until} /> <span class="left">({left(until, at)})</span>
        </>
      )}
    </li>
  )
}

interface VetoProps extends At {
  readonly veto: VetoView
  /** How many instances there are, where they do not agree. */
  readonly all: number | undefined
}

function Veto({ veto, all, at }: VetoProps) {
  const { by, reason, since, who, until, instances } = veto
  if (orders.has(by)) return <Order veto={veto} at={at} />
  return (
    <li>
      <b>{by}</b> {who !== undefined && `(${who}) `}
      {reason} for <Since since={since} at={at} />
      {instances !== undefined && ` in ${instances}${all === undefined ? '' : ` of ${all}`} instances`}
      {until !== undefined && <span class="left">, back {left(until, at)}</span>}
    </li>
  )
}

function Circuit({ circuit: { state, reason, since }, at }: At & { readonly circuit: CircuitView }) {
  return (
    <li>
      <b>circuit {state}</b> {reason} for <Since since={since} at={at} />
    </li>
  )
}

/** The state of a backend, and the reasons for it. */
export function StateCell({ backend, at }: At & { readonly backend: BackendView }) {
  const { vetoes, circuit, health, available, eligible, instances } = backend
  const word = stateWord(backend)
  // The circuit breaker's veto says the same, and more.
  const tells =
    circuit !== undefined && circuit.state !== 'closed' && !vetoes.some(({ by }) => by === 'circuit-breaker')
  const notEjected = health?.notEjected
  // Without probes, only traffic tells of health.
  const isDoubtful = health !== undefined && health.state !== 'up' && vetoes.length === 0 && notEjected === undefined
  return (
    <>
      <span class={`word ${word}`}>
        <StateSymbol word={word} />
        {word}
      </span>
      <ul class="why">
        {vetoes.map((veto) => (
          <Veto key={`${veto.by} ${veto.since}`} veto={veto} all={instances?.all} at={at} />
        ))}
        {eligible && !available && (
          <li>
            <b>panic mode</b> gets requests although unhealthy
          </li>
        )}
        {notEjected !== undefined && (
          <li class="sick">
            <b>not ejected</b> {notEjected.reason} for <Since since={notEjected.since} at={at} />
          </li>
        )}
        {tells && <Circuit circuit={circuit} at={at} />}
        {isDoubtful && (
          <li>
            <b>health check</b> {health.state === 'unknown' ? 'no result yet' : health.state}
          </li>
        )}
      </ul>
    </>
  )
}
