import type { FeedEvent } from './events.ts'
import { noHistory, type History } from './history.ts'
import type { TrafficById } from './traffic.ts'
import type { BalancerSummary, BalancerView, Figures, ProcessFigures, ServerView } from '../api/views.ts'

/** How the stream of events is. */
export type Connection = 'connecting' | 'live' | 'reconnecting'

/** What the viewer may do. */
export type Access = 'unknown' | 'operator' | 'viewer'

/** Why there is nothing new. */
export interface Trouble {
  readonly kind: 'signed-out' | 'unreachable' | 'refused'
  readonly message: string
}

/** What is known of one balancer. */
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
  /** undefined until they have been asked for. */
  readonly balancers?: readonly BalancerSummary[]
  readonly chosen?: string | undefined
  readonly byName: ReadonlyMap<string, BalancerState>
  readonly process?: ProcessFigures | undefined
  /** The server as a whole; undefined until it has been asked for. */
  readonly server?: ServerView
  /** The newest first. */
  readonly feed: readonly FeedEvent[]
  /** The server's time at the last word from it, in ms since the epoch. */
  readonly at: number
}

/** Before anything has been asked. */
export const initialState: PageState = {
  connection: 'connecting',
  access: 'unknown',
  byName: new Map(),
  feed: [],
  at: 0,
}

const unknown: BalancerState = { history: noHistory, traffic: new Map() }

/** What is known of a balancer; nothing yet, perhaps. */
export function balancerState({ byName }: PageState, name: string): BalancerState {
  return byName.get(name) ?? unknown
}
