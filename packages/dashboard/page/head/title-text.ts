import { conditionOf, driftingText, isRefusing, manyErrors, type Condition, type Tone } from '../overview/condition.ts'
import { driftingOf } from '../live/fleet.ts'
import { balancerState, type PageState } from '../live/state.ts'
import type { BalancerSummary } from '../api/views.ts'
import { stateWord } from '../backends/state-word.ts'

/** What the tab of the browser shows: its title, and how bad it is, which the icon shows. */
export interface TabText {
  readonly title: string
  readonly tone: Tone
}

const page = 'fastify-balancer'

/** Share of failed requests, from 0 to 1; 0 while there are few, so that the title does not change every second. */
function errorsOf(state: PageState, name: string): number {
  const { now } = balancerState(state, name)
  const errors = now === undefined || now.requests === 0 ? 0 : now.failed / now.requests
  return errors >= manyErrors ? errors : 0
}

interface Trouble {
  readonly name: string
  readonly condition: Condition
  /** `2 of 5 unhealthy, panic mode`. */
  readonly text: string
}

function unhealthyText({ backends, available }: BalancerSummary, unhealthy: number | undefined): readonly string[] {
  if (backends === 0) return ['no backends']
  // Where the page has only the numbers, it cannot tell drained ones from unhealthy ones.
  if (unhealthy === undefined) return available === backends ? [] : [`${available} of ${backends} healthy`]
  if (unhealthy > 0) return [`${unhealthy} of ${backends} unhealthy`]
  return available === 0 ? [`0 of ${backends} in rotation`] : []
}

/** What is wrong with a balancer; undefined if nothing is. A drain is an order, and no trouble. */
function troubleOf(state: PageState, summary: BalancerSummary): Trouble | undefined {
  const { name, panicking } = summary
  const errors = errorsOf(state, name)
  const { view } = balancerState(state, name)
  const unhealthy = view?.backends.filter((backend) => stateWord(backend) === 'unhealthy').length
  const drifting = driftingOf(state.fleet, name)
  const words = [
    ...unhealthyText(summary, unhealthy),
    ...(panicking ? ['panic mode'] : []),
    ...(isRefusing(summary) ? ['refusing requests'] : []),
    ...(drifting > 0 ? [driftingText(drifting)] : []),
    ...(errors > 0 ? [`${Math.round(100 * errors)} % errors`] : []),
  ]
  return words.length === 0
    ? undefined
    : { name, condition: conditionOf(summary, { errors, drifting }), text: words.join(', ') }
}

/** The title and tone of the tab: `● 2 of 5 unhealthy – api – fastify-balancer`. The worst balancer comes first. */
export function tabText(state: PageState): TabText {
  const { balancers = [], connection, trouble, process } = state
  if (trouble !== undefined || connection === 'reconnecting')
    return { title: `○ Not connected – ${page}`, tone: 'warn' }
  // Whatever the balancers are like, nobody gets to them.
  if (process?.overloaded === true) return { title: `● overloaded – ${page}`, tone: 'bad' }
  const troubles = balancers.map((summary) => troubleOf(state, summary)).filter((one) => one !== undefined)
  const [worst, ...others] = troubles.toSorted((a, b) => b.condition.severity - a.condition.severity)
  if (worst === undefined) return { title: page, tone: 'good' }
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  return { title: `● ${worst.text} – ${worst.name}${more} – ${page}`, tone: worst.condition.tone }
}
