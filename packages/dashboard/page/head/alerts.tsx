import { DrainAlert } from './drain-alert.tsx'
import { clockTime } from '../figures-text.ts'
import { balancerState, type PageState, type Trouble } from '../live/state.ts'

const sentences: Readonly<Record<Trouble['kind'], string>> = {
  'signed-out': 'You are signed out, or were never signed in. Reload the page to sign in.',
  unreachable: 'The admin routes cannot be reached. What you see is how it was; they are asked again and again.',
  refused: 'The admin routes refuse to answer.',
}

/** What somebody must know before anything else. */
export function Alerts({ state }: { readonly state: PageState }) {
  const { trouble, process, server, access, chosen, balancers, connection, at } = state
  const view = chosen === undefined ? undefined : balancerState(state, chosen).view
  const usable = view?.backends.filter((backend) => backend.available).length ?? 0
  return (
    <div class="alerts">
      {view?.panicking === true && (
        <p role="alert" class="alert bad">
          <strong>Panic</strong> Only {usable} of {view.backends.length} backends are available, so that opinions about
          them are ignored. Drained ones, and those in maintenance, still get nothing.
        </p>
      )}
      {process?.overloaded === true && (
        <p role="alert" class="alert bad">
          <strong>Overloaded</strong> This process cannot keep up, and turns requests away with 503.
        </p>
      )}
      {server?.state === 'drain' && <DrainAlert server={server} canAct={access === 'operator'} />}
      {view?.closing === true && (
        <p role="alert" class="alert">
          <strong>Closing</strong> This balancer finishes what it has.
        </p>
      )}
      {connection === 'reconnecting' && trouble === undefined && (
        <p class="alert">
          <strong>Reconnecting</strong> The stream of events was cut
          {at > 0 && `; what you see is how it was at ${clockTime(at)}`}.
        </p>
      )}
      {trouble !== undefined && (
        <p role="alert" class="alert">
          <strong>{trouble.kind === 'signed-out' ? 'Signed out' : 'No answer'}</strong> {sentences[trouble.kind]}{' '}
          <span class="detail">{trouble.message}</span>
        </p>
      )}
      {balancers?.length === 0 && <p class="note">This server has no balancers.</p>}
      {access === 'viewer' && <p class="note">You may look, not change anything.</p>}
    </div>
  )
}
