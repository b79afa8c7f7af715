import { connectionsText, inFlightText } from './drain-text.ts'
import type { ServerView } from '../api/views.ts'

interface DrainAlertProps {
  readonly server: ServerView
  readonly canAct: boolean
}

/** Says that the whole server is being taken out of use. What changes each second is not read out each time. */
export function DrainAlert({ server, canAct }: DrainAlertProps) {
  return (
    <div class="alert" role="group" aria-label="Server drain">
      <p role="alert">
        <strong>Server draining</strong> Somebody has ordered that this whole server gets no new requests:{' '}
        <span class="id">/ready</span> answers 503, which tells load balancers to send them elsewhere. Whoever comes all
        the same is served. {connectionsText(server)}
      </p>
      <p class="in-flight">
        <strong>{inFlightText(server)}</strong>
        {canAct && ' “Take server back” ends the drain.'}
      </p>
    </div>
  )
}
