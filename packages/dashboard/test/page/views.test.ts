import type { Static } from '@sinclair/typebox'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BalancerEvent } from '../../../admin-routes/src/events/event.ts'
import type { FiguresEvent } from '../../../admin-routes/src/figures/figures-event.ts'
import type * as explained from '../../../admin-routes/src/schemas/explanation.ts'
import type * as past from '../../../admin-routes/src/schemas/past-views.ts'
import type * as served from '../../../admin-routes/src/schemas/views.ts'
import type { FeedEvent } from '../../page/live/events.ts'
import { eventTypes } from '../../page/live/events.ts'
import type { FaultView } from '../../page/api/api-error.ts'
import type { ExplanationView } from '../../page/api/explanation-view.ts'
import type { FailuresView, HistoryView } from '../../page/api/past-views.ts'
import type * as read from '../../page/api/views.ts'

/** `Served` can be read as `Read`: what the admin routes answer has all that the page reads. */
type Readable<Read, Served extends Read> = [Read, Served]

/** Checked by the compiler alone. */
export type Views = [
  Readable<read.BalancerView, Static<typeof served.BalancerView>>,
  Readable<read.BalancersView, Static<typeof served.BalancersView>>,
  Readable<read.ServerView, Static<typeof served.ServerView>>,
  Readable<read.BackendView, served.BackendView>,
  Readable<read.ProbeView, Static<typeof served.ProbeView>>,
  Readable<read.CircuitView, Static<typeof served.CircuitView>>,
  Readable<ExplanationView, Static<typeof explained.ExplanationView>>,
  Readable<HistoryView, Static<typeof past.HistoryView>>,
  Readable<FailuresView, Static<typeof past.FailuresView>>,
  Readable<FaultView, Static<typeof served.FaultView>>,
  Readable<read.Figures, FiguresEvent>,
  Readable<FeedEvent, Extract<BalancerEvent, { readonly type: FeedEvent['type'] }>>,
]

test('the page asks for every type of event that there is', () => {
  const told = BalancerEvent.anyOf.map(({ properties }) => properties.type.const as string)
  assert.deepEqual(
    told.filter((type) => type !== 'gap' && !(eventTypes as readonly string[]).includes(type)),
    [],
  )
})
