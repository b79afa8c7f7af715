import type { FeedEvent } from './events.ts'
import { fleetOf } from './fleet.ts'
import { pastOf } from '../history/past.ts'
import type { Range } from '../history/range.ts'
import { withSameBackends } from './same-backends.ts'
import { withSecond } from './seconds.ts'
import {
  balancerState,
  type Access,
  type BalancerState,
  type Connection,
  type PageState,
  type Trouble,
} from './state.ts'
import { withFigures as withTraffic, withPast } from './traffic.ts'
import type { InstancesView } from '../api/instance-views.ts'
import type { FailureView, HistoryView } from '../api/past-views.ts'
import type { BalancersView, BalancerView, Figures, ServerView } from '../api/views.ts'

/** The feed keeps at most this many events. */
const longestFeed = 100

/** New information for the page. */
export type News =
  | { readonly kind: 'connection'; readonly connection: Connection }
  | { readonly kind: 'access'; readonly access: Access }
  | { readonly kind: 'trouble'; readonly trouble: Trouble | undefined }
  | { readonly kind: 'balancers'; readonly view: BalancersView }
  | { readonly kind: 'balancer'; readonly view: BalancerView }
  | { readonly kind: 'server'; readonly view: ServerView }
  | { readonly kind: 'instances'; readonly view: InstancesView; readonly at: number }
  | { readonly kind: 'figures'; readonly figures: Figures }
  | { readonly kind: 'event'; readonly event: FeedEvent }
  | { readonly kind: 'choice'; readonly name: string }
  | { readonly kind: 'range'; readonly range: Range }
  | { readonly kind: 'past'; readonly balancer: string; readonly range: Range; readonly view: HistoryView }
  | { readonly kind: 'failures'; readonly balancer: string; readonly failures: readonly FailureView[] }

type NewsOf<Kind extends News['kind']> = Extract<News, { readonly kind: Kind }>

function withBalancer(state: PageState, name: string, change: Partial<BalancerState>): PageState {
  const byName = new Map(state.byName).set(name, { ...balancerState(state, name), ...change })
  return { ...state, byName }
}

function foldBalancers(state: PageState, { balancers, process }: BalancersView): PageState {
  const names = new Set(balancers.map(({ name }) => name))
  const chosen = state.chosen !== undefined && names.has(state.chosen) ? state.chosen : balancers[0]?.name
  const byName = new Map([...state.byName].filter(([name]) => names.has(name)))
  return { ...state, balancers, chosen, byName, process }
}

/** Counters that only details show are renewed at least so often (ms); each time, every row is rendered. */
const longestStale = 5000

function foldBalancer(state: PageState, view: BalancerView): PageState {
  const { view: before, freshAt = -Infinity } = balancerState(state, view.name)
  const isStale = state.at - freshAt >= longestStale
  return withBalancer(state, view.name, {
    view: isStale ? view : withSameBackends(view, before),
    ...(isStale && { freshAt: state.at }),
  })
}

function foldFigures(state: PageState, figures: Figures): PageState {
  const { seconds, traffic } = balancerState(state, figures.balancer)
  const next = withBalancer(state, figures.balancer, {
    now: figures,
    seconds: withSecond(seconds, figures),
    traffic: withTraffic(traffic, figures),
  })
  return { ...next, at: Math.max(state.at, figures.at), process: figures.process ?? state.process }
}

function foldInstances(state: PageState, { view, at }: NewsOf<'instances'>): PageState {
  const fleet = fleetOf(state.fleet, view, at)
  // One process stays one, and nothing is rendered again.
  return fleet === state.fleet ? state : { ...state, fleet }
}

function foldPast(state: PageState, { balancer, range, view }: NewsOf<'past'>): PageState {
  // Asked before another range was chosen.
  if (range !== state.range) return state
  const past = pastOf(view, range)
  const { traffic } = balancerState(state, balancer)
  const next = withBalancer(state, balancer, { past, traffic: withPast(traffic, past) })
  return { ...next, at: Math.max(state.at, view.at) }
}

function foldEvent(state: PageState, event: FeedEvent): PageState {
  // After a reconnection, events may be sent a second time.
  if (state.feed.some(({ id }) => id === event.id)) return state
  return { ...state, feed: [event, ...state.feed].slice(0, longestFeed) }
}

type Folds = {
  readonly [Kind in News['kind']]: (state: PageState, news: NewsOf<Kind>) => PageState
}

const folds: Folds = {
  connection: (state, { connection }) => ({ ...state, connection }),
  access: (state, { access }) => ({ ...state, access }),
  trouble: (state, { trouble }) => ({ ...state, trouble }),
  balancers: (state, { view }) => foldBalancers(state, view),
  balancer: (state, { view }) => foldBalancer(state, view),
  server: (state, { view }) => ({ ...state, server: view }),
  instances: foldInstances,
  figures: (state, { figures }) => foldFigures(state, figures),
  event: (state, { event }) => foldEvent(state, event),
  choice: (state, { name }) => ({ ...state, chosen: name }),
  range: (state, { range }) => ({ ...state, range }),
  past: foldPast,
  failures: (state, { balancer, failures }) => withBalancer(state, balancer, { failures }),
}

/** The next state; the given one is not changed. */
export function fold(state: PageState, news: News): PageState {
  return (folds[news.kind] as (before: PageState, one: News) => PageState)(state, news)
}
