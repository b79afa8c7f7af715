import { inFlightText } from './drain-text.ts'
import type { Intent } from '../orders/intent.ts'
import type { ServerView } from '../api/views.ts'

/** Long enough for a load balancer that checks `/ready` every few seconds (s). */
const usualGrace = 10

/** The longest that the admin routes allow (s). */
const longestGrace = 3600

function drain(server: ServerView): Intent {
  return {
    title: 'Drain server',
    consequence:
      '/ready answers 503 at once, so that load balancers send new requests elsewhere. New requests that still arrive are served. ' +
      inFlightText(server),
    fields: [
      {
        kind: 'number',
        name: 'grace',
        label: 'Grace (seconds)',
        hint: 'Time for load balancers to notice. After it, connections are closed. 0 = at once.',
        isRequired: true,
        minimum: 0,
        maximum: longestGrace,
        step: 0.001,
        initial: usualGrace,
      },
      {
        kind: 'choice',
        name: 'close',
        label: 'Then close the app',
        hint: 'When the grace period ends. This page is unavailable until the app is started again.',
      },
    ],
    run: async (api, confirmation) => {
      const grace = confirmation.milliseconds('grace') ?? 1000 * usualGrace
      const isChosen = confirmation.isChosen('close')
      const { closesConnections } = await api.drainServer(grace, isChosen)
      const when = closesConnections ? 'now' : `in ${grace / 1000} s`
      const then = isChosen ? ', then the app closes' : ''
      return `The server is draining: /ready answers 503; connections are closed ${when}${then}.`
    },
  }
}

const endDrain: Intent = {
  title: 'End drain',
  consequence:
    '/ready no longer answers 503, and connections are kept open again. If the app was going to close, that is cancelled.',
  run: async (api) => {
    await api.takeServerBack()
    return 'The server is ready again.'
  },
}

/** What an operator can do with the whole server in its current state. */
export function serverIntent(server: ServerView): Intent {
  return server.state === 'drain' ? endDrain : drain(server)
}
