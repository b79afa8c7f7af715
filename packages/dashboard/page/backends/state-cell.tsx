import { age } from '../figures-text.ts'
import { StateSymbol } from './state-symbol.tsx'
import { stateWord } from './state-word.ts'
import type { BackendView, CircuitView, VetoView } from '../api/views.ts'

function Since({ since, at }: { readonly since: number; readonly at: number }) {
  return (
    <time dateTime={new Date(since).toISOString()} title={new Date(since).toLocaleString()}>
      {age(at - since)}
    </time>
  )
}

function Evidence({ evidence }: { readonly evidence: unknown }) {
  return (
    <details>
      <summary>evidence</summary>
      <pre tabIndex={0}>{JSON.stringify(evidence, undefined, 2)}</pre>
    </details>
  )
}

/** The state itself says whether an order is a drain or maintenance. */
const orders = new Set(['drain', 'maintenance'])

function Veto({ veto: { by, reason, since, evidence }, at }: { readonly veto: VetoView; readonly at: number }) {
  if (orders.has(by))
    return (
      <li>
        for <Since since={since} at={at} />, {reason}
      </li>
    )
  return (
    <li>
      <b>{by}</b> {reason} <Since since={since} at={at} /> {evidence !== undefined && <Evidence evidence={evidence} />}
    </li>
  )
}

function Circuit({ circuit: { state, reason, since }, at }: { readonly circuit: CircuitView; readonly at: number }) {
  return (
    <li>
      <b>circuit {state}</b> {reason} <Since since={since} at={at} />
    </li>
  )
}

/** The state of a backend, and the reasons for it. */
export function StateCell({ backend, at }: { readonly backend: BackendView; readonly at: number }) {
  const { vetoes, circuit, health } = backend
  const word = stateWord(backend)
  // The circuit breaker's veto says the same, and more.
  const tells =
    circuit !== undefined && circuit.state !== 'closed' && !vetoes.some(({ by }) => by === 'circuit-breaker')
  const isDoubtful = health !== undefined && health.state !== 'up' && vetoes.length === 0
  return (
    <>
      <span class={`word ${word}`}>
        <StateSymbol word={word} />
        {word}
      </span>
      {(vetoes.length > 0 || tells || isDoubtful) && (
        <ul class="why">
          {vetoes.map((veto) => (
            <Veto key={`${veto.by} ${veto.since}`} veto={veto} at={at} />
          ))}
          {tells && <Circuit circuit={circuit} at={at} />}
          {isDoubtful && (
            <li>
              <b>health check</b> {health.state === 'unknown' ? 'no result yet' : health.state}
            </li>
          )}
        </ul>
      )}
    </>
  )
}
