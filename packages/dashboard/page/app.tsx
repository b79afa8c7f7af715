import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { addIntent } from './actions/add-intent.ts'
import { backendIntent, type ActionKind } from './actions/actions.ts'
import { ListButtons } from './actions/list-buttons.tsx'
import { earlierRevisions } from './actions/rollback-intent.ts'
import { RollbackDialog } from './actions/rollback-dialog.tsx'
import { Alerts } from './head/alerts.tsx'
import type { Api } from './api/api.ts'
import { BackendList } from './listing/backend-list.tsx'
import { BalancerTabs } from './head/balancer-tabs.tsx'
import { Charts } from './charts/charts.tsx'
import { Configuration } from './configuration/configuration.tsx'
import { EventFeed } from './feed/event-feed.tsx'
import { FailedRequests } from './failures/failed-requests.tsx'
import { nameOf, rangeNamed, type Range } from './history/range.ts'
import { Explain } from './explain/explain.tsx'
import { Figures } from './head/figures.tsx'
import { Head } from './head/head.tsx'
import { Instances } from './instances/instances.tsx'
import type { Intent } from './orders/intent.ts'
import type { Live } from './live/live.ts'
import { OrderDialog } from './orders/order-dialog.tsx'
import { Outcome } from './orders/outcome.tsx'
import type { Told } from './orders/told.ts'
import { Overview } from './overview/overview.tsx'
import { balancerState } from './live/state.ts'
import type { Store } from './live/store.ts'
import { Tunnels } from './tunnels/tunnels.tsx'
import { addressOf, arrangementOf, type Arrangement } from './listing/arrangement.ts'
import { useAddress } from './use-address.ts'
import { usePageState } from './use-page-state.ts'
import type { BackendView, BalancerView } from './api/views.ts'

interface AppProps {
  readonly store: Store
  readonly live: Live
  readonly api: Api
}

/** The whole page. */
export function App({ store, live, api }: AppProps) {
  const state = usePageState(store)
  const [address, changeAddress] = useAddress()
  const [intent, setIntent] = useState<Intent>()
  const [rolledBack, setRolledBack] = useState<BalancerView>()
  const [told, setTold] = useState<Told>()
  const { balancers = [], access, fleet } = state
  const several = balancers.length > 1
  const wanted = balancers.find(({ name }) => name === address['balancer'])?.name
  const isOverview = several && wanted === undefined
  const chosen = wanted ?? state.chosen
  const balancer = chosen === undefined ? undefined : balancerState(state, chosen)
  const view = balancer?.view
  const tunnels = balancer?.now?.tunnels ?? 0
  const at = state.at === 0 ? Date.now() : state.at
  const canAct = access === 'operator'
  const arrangement = arrangementOf(address)

  useEffect(() => {
    if (wanted !== undefined) live.choose(wanted)
  }, [live, wanted])
  const range = rangeNamed(address['range'])
  useEffect(() => live.look(range), [live, range])
  const lookBack = (next: Range) => changeAddress({ range: nameOf(next) })
  const show = (name: string | undefined) => changeAddress({ balancer: name, ...addressOf(arrangementOf({})) }, true)
  const arrange = (change: Partial<Arrangement>) => changeAddress(addressOf({ ...arrangement, ...change }))

  // Rows are not rendered again with each new view.
  const latest = useRef(view)
  latest.current = view
  const choose = useCallback((kind: ActionKind, backend: BackendView, revision: number) => {
    if (latest.current !== undefined) setIntent(backendIntent(kind, { backend, view: { ...latest.current, revision } }))
  }, [])
  const finish = useCallback(
    (outcome: Told | undefined) => {
      setIntent(undefined)
      setRolledBack(undefined)
      if (outcome === undefined) return
      setTold(outcome)
      live.refresh()
    },
    [live],
  )
  const events = (
    <EventFeed
      feed={state.feed}
      several={several}
      instances={fleet?.instances.length ?? 1}
      isLoaded={state.connection !== 'connecting'}
      at={at}
    />
  )
  return (
    <>
      <Head state={state} onChoose={setIntent} onTold={setTold} />
      <main>
        {several && (
          <BalancerTabs balancers={balancers} fleet={fleet} chosen={isOverview ? undefined : chosen} onChoose={show} />
        )}
        <div class="panel" {...(several && { id: 'balancer', role: 'tabpanel', 'aria-label': chosen })}>
          <Alerts state={state} isOverview={isOverview} />
          {isOverview && (
            <>
              <Overview state={state} onChoose={show} />
              {fleet !== undefined && <Instances fleet={fleet} />}
              {events}
            </>
          )}
          {!isOverview && balancer !== undefined && chosen !== undefined && (
            <>
              <Figures now={balancer.now} />
              <Charts balancer={balancer} range={range} onRange={lookBack} />
              <div class="work">
                <BackendList
                  key={`backends of ${chosen}`}
                  view={view}
                  traffic={balancer.traffic}
                  at={at}
                  access={access}
                  arrangement={arrangement}
                  onArrange={arrange}
                  onAction={choose}
                >
                  {view !== undefined && (
                    <ListButtons
                      canAct={canAct}
                      hasEarlier={earlierRevisions(view).length > 0}
                      onAdd={() => setIntent(addIntent(view))}
                      onRollBack={() => setRolledBack(view)}
                    />
                  )}
                </BackendList>
                <div class="below">
                  {fleet !== undefined && <Instances fleet={fleet} />}
                  <FailedRequests failures={balancer.failures} outcomes={balancer.view?.totals.outcomes} at={at} />
                  {events}
                  <Explain key={chosen} api={api} balancer={chosen} />
                  {tunnels > 0 && (
                    <Tunnels
                      key={`tunnels of ${chosen}`}
                      api={api}
                      balancer={chosen}
                      open={tunnels}
                      canAct={canAct}
                      onIntent={setIntent}
                    />
                  )}
                  <Configuration
                    key={`configuration of ${chosen}`}
                    api={api}
                    balancer={chosen}
                    revision={view?.revision ?? 0}
                  />
                </div>
              </div>
            </>
          )}
        </div>
      </main>
      {intent !== undefined && <OrderDialog api={api} intent={intent} onEnd={finish} />}
      {rolledBack !== undefined && (
        <RollbackDialog api={api} view={rolledBack} revision={view?.revision ?? 0} at={at} onEnd={finish} />
      )}
      <Outcome told={told} onDismiss={() => setTold(undefined)} />
    </>
  )
}
