import { DrainAlert } from './drain-alert.tsx'
import { DriftAlert } from '../instances/drift-alert.tsx'
import { clockTime, count } from '../figures-text.ts'
import { panicText } from './panic-text.ts'
import { balancerState, type PageState, type Trouble } from '../live/state.ts'
import type { ProcessFigures } from '../api/views.ts'

const headings: Readonly<Record<Trouble['kind'], string>> = {
  'signed-out': 'Signed out',
  unreachable: 'Not connected',
  refused: 'Refused',
}

const sentences: Readonly<Record<Trouble['kind'], string>> = {
  'signed-out': 'You are signed out. Reload the page to sign in.',
  unreachable: 'The admin routes cannot be reached. The page shows the last known state and keeps retrying.',
  refused: 'The admin routes refused to answer. The page shows the last known state and keeps retrying.',
}

function shedText({ shed = 0 }: ProcessFigures): string {
  return shed === 0 ? '' : `, ${count(shed)} since the start`
}

/** Whatever an operator must know first. */
export function Alerts({ state, isOverview }: { readonly state: PageState; readonly isOverview: boolean }) {
  const { trouble, process, server, access, chosen, balancers, connection, at, fleet } = state
  // The overview shows the state of each balancer itself.
  const view = chosen === undefined || isOverview ? undefined : balancerState(state, chosen).view
  return (
    <div class="alerts">
      {view?.panicking === true && (
        <p role="alert" class="alert bad">
          <strong>Panic mode</strong> {panicText(view.backends)}
        </p>
      )}
      {process?.overloaded === true && (
        <p role="alert" class="alert bad">
          <strong>Overloaded</strong> {fleet === undefined ? 'This process' : 'An instance'} is overloaded: new requests
          get 503{shedText(process)}.
        </p>
      )}
      {fleet !== undefined && fleet.drifts.length > 0 && <DriftAlert fleet={fleet} />}
      {server?.state === 'drain' && <DrainAlert server={server} canAct={access === 'operator'} />}
      {view?.closing === true && (
        <p role="alert" class="alert">
          <strong>Closing</strong> This balancer is shutting down. Requests in flight may finish.
        </p>
      )}
      {connection === 'reconnecting' && trouble === undefined && (
        <p class="alert">
          <strong>Reconnecting</strong> The event stream was interrupted
          {at > 0 && `; the page shows the state at ${clockTime(at)}`}.
        </p>
      )}
      {trouble !== undefined && (
        <p role="alert" class="alert">
          <strong>{headings[trouble.kind]}</strong> {sentences[trouble.kind]}{' '}
          <span class="detail">{trouble.message}</span>
        </p>
      )}
      {balancers?.length === 0 && <p class="note">This server has no balancers.</p>}
      {access === 'viewer' && <p class="note">Read-only: you are not allowed to make changes.</p>}
    </div>
  )
}
