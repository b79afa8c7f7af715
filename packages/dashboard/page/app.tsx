import { useCallback, useState } from 'preact/hooks'
import { ActionDialog } from './actions/action-dialog.tsx'
import { backendIntent, type ActionKind } from './actions/actions.ts'
import { Alerts } from './head/alerts.tsx'
import type { Api } from './api/api.ts'
import { BackendsTable } from './backends/backends-table.tsx'
import { BalancerTabs } from './head/balancer-tabs.tsx'
import { Charts } from './charts/charts.tsx'
import { EventFeed } from './feed/event-feed.tsx'
import { FailedRequests } from './failures/failed-requests.tsx'
import { rememberRange } from './history/remembered-range.ts'
import { Explain } from './explain/explain.tsx'
import { Figures } from './head/figures.tsx'
import { Head } from './head/head.tsx'
import type { Intent } from './actions/intent.ts'
import type { Live } from './live/live.ts'
import { Outcome, type Told } from './actions/outcome.tsx'
import { balancerState } from './live/state.ts'
import type { Store } from './live/store.ts'
import type { Range } from './history/range.ts'
import { Tunnels } from './tunnels/tunnels.tsx'
import { usePageState } from './use-page-state.ts'
import type { BackendView } from './api/views.ts'

interface AppProps {
  readonly store: Store
  readonly live: Live
  readonly api: Api
}

/** The whole page. */
export function App({ store, live, api }: AppProps) {
  const state = usePageState(store)
  const [intent, setIntent] = useState<Intent>()
  const [told, setTold] = useState<Told>()
  const { chosen, balancers = [], access } = state
  const balancer = chosen === undefined ? undefined : balancerState(state, chosen)
  const drainDeadline = balancer?.view?.drainDeadline ?? 0
  const tunnels = balancer?.now?.tunnels ?? 0
  const several = balancers.length > 1
  const choose = useCallback(
    (kind: ActionKind, backend: BackendView, revision: number) => {
      if (chosen !== undefined) setIntent(backendIntent(kind, { backend, revision, balancer: chosen, drainDeadline }))
    },
    [chosen, drainDeadline],
  )
  const finish = useCallback(
    (outcome: Told | undefined) => {
      setIntent(undefined)
      if (outcome === undefined) return
      setTold(outcome)
      live.refresh()
    },
    [live],
  )
  const lookBack = useCallback(
    (range: Range) => {
      rememberRange(range)
      live.look(range)
    },
    [live],
  )
  const at = state.at === 0 ? Date.now() : state.at
  return (
    <>
      <Head state={state} onChoose={setIntent} />
      <main>
        {several && <BalancerTabs balancers={balancers} chosen={chosen} onChoose={(name) => live.choose(name)} />}
        <div {...(several && { id: 'balancer', role: 'tabpanel', 'aria-label': chosen })}>
          <Alerts state={state} />
          {balancer !== undefined && chosen !== undefined && (
            <>
              <Figures now={balancer.now} />
              <Charts balancer={balancer} range={state.range} onRange={lookBack} />
              <div class="work">
                <BackendsTable
                  view={balancer.view}
                  traffic={balancer.traffic}
                  at={at}
                  access={access}
                  onAction={choose}
                />
                <div class="below">
                  <FailedRequests failures={balancer.failures} outcomes={balancer.view?.totals.outcomes} at={at} />
                  <EventFeed feed={state.feed} several={several} isLoaded={state.connection !== 'connecting'} at={at} />
                  <Explain key={chosen} api={api} balancer={chosen} />
                  {tunnels > 0 && (
                    <Tunnels
                      key={`tunnels of ${chosen}`}
                      api={api}
                      balancer={chosen}
                      open={tunnels}
                      canAct={access === 'operator'}
                      onIntent={setIntent}
                    />
                  )}
                </div>
              </div>
            </>
          )}
        </div>
      </main>
      {intent !== undefined && <ActionDialog api={api} intent={intent} onEnd={finish} />}
      <Outcome told={told} onDismiss={() => setTold(undefined)} />
    </>
  )
}
