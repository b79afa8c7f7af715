import type { Backend, Balancer } from './admin-api.ts'
import type { RecentTraffic, Traffic } from './traffic.ts'

/** How a backend is, from bad to good. */
const conditions = ['unhealthy', 'failing', 'draining', 'maintenance', 'healthy'] as const
/** How a backend is, in one word. */
export type Condition = (typeof conditions)[number]

/** One line of the table. */
export interface Row {
  readonly balancer: string
  readonly backend: Backend
  readonly condition: Condition
  /** Why it is so. */
  readonly why: string
  readonly traffic: Traffic | undefined
}

/** One balancer, with its backends from the worst to the best. */
export interface Section {
  readonly balancer: Balancer
  readonly traffic: Traffic | undefined
  readonly rows: readonly Row[]
}

/** From this share of failed requests on, a backend counts as failing. */
const failing = 0.01

function conditionOf({ state, available }: Backend, traffic: Traffic | undefined): Condition {
  if (state === 'drain') return 'draining'
  if (state === 'maintenance') return 'maintenance'
  if (!available) return 'unhealthy'
  return (traffic?.errors ?? 0) >= failing ? 'failing' : 'healthy'
}

function whyOf({ vetoes, circuit, weight, effectiveWeight, inFlight, tunnels, state, health }: Backend): string {
  const [veto] = vetoes.toSorted((a, b) => Number(b.hard) - Number(a.hard))
  const parts = veto === undefined ? [] : [veto.who === undefined ? veto.reason : `${veto.reason} (${veto.who})`]
  if (state === 'drain') parts.push(inFlight + tunnels === 0 ? 'idle' : `${inFlight + tunnels} to finish`)
  if (circuit?.state === 'half-open') parts.push('circuit half-open')
  if (health?.notEjected !== undefined) parts.push(health.notEjected.reason)
  if (effectiveWeight < weight) parts.push('slow start')
  return parts.join(', ')
}

/** Durations that differ by less than a half do not change places with each second. */
const step = (duration: number | undefined) => Math.round(Math.log2(1 + (duration ?? 0)) * 1.7)

function worse(a: Row, b: Row): number {
  return (
    conditions.indexOf(a.condition) - conditions.indexOf(b.condition) ||
    Math.round(((b.traffic?.errors ?? 0) - (a.traffic?.errors ?? 0)) * 100) ||
    step(b.traffic?.p95) - step(a.traffic?.p95)
  )
}

function rankOf({ balancer: { panicking }, rows }: Section): number {
  const unhealthy = rows.filter(({ condition }) => condition === 'unhealthy' || condition === 'failing').length
  return (panicking ? 2 : 0) + unhealthy / Math.max(1, rows.length)
}

/** Everything that is shown, the worst first; what is equally bad stays in the order of the server. */
export function sectionsOf(balancers: readonly Balancer[], recent: RecentTraffic): readonly Section[] {
  const sections = balancers.map((balancer): Section => {
    const rows = balancer.backends.map((backend): Row => {
      const traffic = recent.of(balancer.name, backend.id)
      const condition = conditionOf(backend, traffic)
      return { balancer: balancer.name, backend, condition, why: whyOf(backend), traffic }
    })
    return { balancer, traffic: recent.of(balancer.name), rows: rows.toSorted(worse) }
  })
  return sections.toSorted((a, b) => rankOf(b) - rankOf(a))
}
