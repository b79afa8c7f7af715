import type { Fleet } from './fleet.ts'
import type { FeedEvent } from './events.ts'
import type { Past } from '../history/past.ts'
import type { Point } from '../history/point.ts'
import { ranges, type Range } from '../history/range.ts'
import type { TrafficById } from './traffic.ts'
import type { FailureView } from '../api/past-views.ts'
import type { BalancerSummary, BalancerView, Figures, ProcessFigures, ServerView } from '../api/views.ts'

/** State of the event stream. */
export type Connection = 'connecting' | 'live' | 'reconnecting'

/** What the viewer may do. */
export type Access = 'unknown' | 'operator' | 'viewer'

/** Why the page gets no new data. */
export interface Trouble {
  readonly kind: 'signed-out' | 'unreachable' | 'refused'
  readonly message: string
}

/** The state of one balancer. */
export interface BalancerState {
  readonly view?: BalancerView
  /** When every part of it was new. */
  readonly freshAt?: number
  /** The latest figures. */
  readonly now?: Figures
  /** What the server told of the past; undefined until loaded. */
  readonly past?: Past
  /** Each second since the page was opened, the last of them. */
  readonly seconds: readonly Point[]
  readonly traffic: TrafficById
  /** The last requests that failed, the newest first; undefined until loaded. */
  readonly failures?: readonly FailureView[]
}

/** Everything that the page shows. */
export interface PageState {
  readonly connection: Connection
  readonly access: Access
  readonly trouble?: Trouble | undefined
  /** undefined until loaded. */
  readonly balancers?: readonly BalancerSummary[]
  readonly chosen?: string | undefined
  /** How far back the page looks. */
  readonly range: Range
  readonly byName: ReadonlyMap<string, BalancerState>
  readonly process?: ProcessFigures | undefined
  /** The whole server; undefined until loaded. */
  readonly server?: ServerView
  /** All instances; undefined if there is only one, or nothing is loaded yet. */
  readonly fleet?: Fleet | undefined
  /** Newest first. */
  readonly feed: readonly FeedEvent[]
  /** The server's time when it last told what is now, in ms since the epoch; 0 before. */
  readonly at: number
}

/** The state at the start. */
export const initialState: PageState = {
  connection: 'connecting',
  access: 'unknown',
  range: ranges[0],
  byName: new Map(),
  feed: [],
  at: 0,
}

const unknown: BalancerState = { seconds: [], traffic: new Map() }

/** The state of a balancer; an empty one if nothing is loaded yet. */
export function balancerState({ byName }: PageState, name: string): BalancerState {
  return byName.get(name) ?? unknown
}
