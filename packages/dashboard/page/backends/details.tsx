import type { ComponentChildren } from 'preact'
import { age, count, durationText } from '../figures-text.ts'
import { statusClasses } from '../history/point.ts'
import { Evidence } from './evidence.tsx'
import { Clock } from './moments.tsx'
import { failuresIn } from '../history/outcomes.ts'
import { left } from './time-left.ts'
import type { BackendView, ProbeView, VetoView } from '../api/views.ts'

interface At {
  readonly at: number
}

function Part({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

function Veto({ veto, at }: At & { readonly veto: VetoView }) {
  const { by, reason, since, until, who, hard, evidence } = veto
  return (
    <Part title={hard ? `Order: ${by}` : `Veto of ${by}`}>
      <p>{reason}</p>
      <p class="note">
        since <Clock time={since} /> ({age(at - since)}){who !== undefined && `, by ${who}`}
        {until !== undefined && (
          <>
            , until <Clock time={until} /> ({left(until, at)})
          </>
        )}
      </p>
      {evidence !== undefined && <Evidence evidence={evidence} />}
    </Part>
  )
}

function Counts({ counts }: { readonly counts: readonly (readonly [name: string, times: number])[] }) {
  return (
    <dl class="counts">
      {counts.map(([name, times]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{count(times)}</dd>
        </div>
      ))}
    </dl>
  )
}

function Probe({
  probe: { at: begun, sent, received, good, inconclusive, timings },
  at,
}: At & { readonly probe: ProbeView }) {
  const verdict = inconclusive === undefined ? (good ? 'good' : 'bad') : `does not count (${inconclusive})`
  return (
    <>
      <p class={good || inconclusive !== undefined ? undefined : 'bad'}>
        {verdict}: {received}
      </p>
      <p class="note">
        <span class="id">{sent}</span>, <Clock time={begun} /> ({age(at - begun)} ago), took{' '}
        {durationText(timings.took)}
      </p>
    </>
  )
}

/** Everything about a backend that its row has no room for. */
export function Details({ backend, at }: At & { readonly backend: BackendView }) {
  const { vetoes, responses, outcomes, health, circuit, limit, maxInFlight, priority, tags, zone } = backend
  const failures = failuresIn(outcomes)
  return (
    <div class="parts">
      {vetoes.map((veto) => (
        <Veto key={`${veto.by} ${veto.since}`} veto={veto} at={at} />
      ))}
      <Part title="Responses since the start">
        <Counts counts={statusClasses.map((name) => [name, responses[name]] as const)} />
      </Part>
      <Part title="Failures by reason">
        {failures.length === 0 ? <p class="note">None since the start.</p> : <Counts counts={failures} />}
      </Part>
      {health !== undefined && (
        <Part title="Health check">
          <p>
            {health.state} since <Clock time={health.since} />, {count(health.consecutive)} in a row
          </p>
          {health.lastProbe !== undefined && <Probe probe={health.lastProbe} at={at} />}
        </Part>
      )}
      {circuit !== undefined && (
        <Part title="Circuit">
          <p>
            {circuit.state} since <Clock time={circuit.since} />: {circuit.reason}
          </p>
        </Part>
      )}
      <Part title="Settings">
        <p>
          priority {priority}, {count(limit)} requests at once
          {limit < maxInFlight && ` (limited; at most ${count(maxInFlight)})`}
          {zone !== undefined && `, zone ${zone}`}
          {tags.length > 0 && `, tags ${tags.join(', ')}`}
        </p>
      </Part>
    </div>
  )
}
