import type { FeedEvent } from './events.ts'
import { noHistory, type History } from './history.ts'
import type { TrafficById } from './traffic.ts'
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
  /** The latest figures. */
  readonly now?: Figures
  readonly history: History
  readonly traffic: TrafficById
}

/** Everything that the page shows. */
export interface PageState {
  readonly connection: Connection
  readonly access: Access
  readonly trouble?: Trouble | undefined
  /** undefined until loaded. */
  readonly balancers?: readonly BalancerSummary[]
  readonly chosen?: string | undefined
  readonly byName: ReadonlyMap<string, BalancerState>
  readonly process?: ProcessFigures | undefined
  /** The whole server; undefined until loaded. */
  readonly server?: ServerView
  /** Newest first. */
  readonly feed: readonly FeedEvent[]
  /** The server's time at its last message, in ms since the epoch. */
  readonly at: number
}

/** The state at the start. */
export const initialState: PageState = {
  connection: 'connecting',
  access: 'unknown',
  byName: new Map(),
  feed: [],
  at: 0,
}

const unknown: BalancerState = { history: noHistory, traffic: new Map() }

/** The state of a balancer; an empty one if nothing is loaded yet. */
export function balancerState({ byName }: PageState, name: string): BalancerState {
  return byName.get(name) ?? unknown
}
