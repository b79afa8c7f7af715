import { count, duration, nothing, percent } from '../figures-text.ts'
import type { Figures as LatestFigures, Latency } from '../api/views.ts'

interface FigureProps {
  readonly name: string
  /** The number itself, if there is one. */
  readonly value: number | null
  readonly text: string
  readonly unit?: string
}

function Figure({ name, value, text, unit }: FigureProps) {
  return (
    <div class="figure" role="group" aria-label={name}>
      <span class="name">{name}</span>
      <span class="value" data-value={value ?? ''}>
        {text}
        {unit !== undefined && <small> {unit}</small>}
      </span>
    </div>
  )
}

function Percentile({ name, latency }: { readonly name: keyof Latency; readonly latency: Latency | null | undefined }) {
  const ms = latency?.[name]
  if (ms === undefined) return <Figure name={name} value={null} text={nothing} />
  const { number, unit } = duration(ms)
  return <Figure name={name} value={ms} text={number} unit={unit} />
}

function shown(value: number | null | undefined): string {
  return value === null || value === undefined ? nothing : count(value)
}

/** The traffic of the last second. */
export function Figures({ now }: { readonly now: LatestFigures | undefined }) {
  const rate = now === undefined ? null : now.requests / now.seconds
  const errors = now === undefined || now.requests === 0 ? null : now.failed / now.requests
  return (
    <section class="figures" aria-label="Now">
      <Figure name="Requests per second" value={rate} text={shown(rate)} />
      <Figure name="Error rate" value={errors} text={errors === null ? nothing : percent(errors)} />
      <Percentile name="p50" latency={now?.latency} />
      <Percentile name="p95" latency={now?.latency} />
      <Percentile name="p99" latency={now?.latency} />
      <Figure name="In flight" value={now?.exchanges ?? null} text={shown(now?.exchanges)} />
      <Figure name="Queued" value={now?.waiting ?? null} text={shown(now?.waiting)} />
    </section>
  )
}
