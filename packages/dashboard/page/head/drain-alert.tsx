import { connectionsText, inFlightText } from './drain-text.ts'
import type { ServerView } from '../api/views.ts'

interface DrainAlertProps {
  readonly server: ServerView
  readonly canAct: boolean
}

/** Shown while the whole server drains. Screen readers do not announce the count each second. */
export function DrainAlert({ server, canAct }: DrainAlertProps) {
  return (
    <div class="alert" role="group" aria-label="Server drain">
      <p role="alert">
        <strong>Server draining</strong> <span class="id">/ready</span> answers 503, so that load balancers send new
        requests elsewhere. New requests that still arrive are served. {connectionsText(server)}
      </p>
      <p class="in-flight">
        <strong>{inFlightText(server)}</strong>
        {canAct && ' “End drain” makes the server ready again.'}
      </p>
    </div>
  )
}
