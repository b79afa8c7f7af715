import { inFlightText } from './drain-text.ts'
import type { Intent } from '../actions/intent.ts'
import type { ServerView } from '../api/views.ts'

/** Enough for a load balancer that asks every few seconds (s). */
const usualGrace = 10

/** As long as the admin routes allow (s). */
const longestGrace = 3600

function drain(server: ServerView): Intent {
  return {
    label: 'Drain server',
    consequence:
      'This whole server is to get no new requests: /ready answers 503 at once. Whoever comes all the same is served. ' +
      inFlightText(server),
    field: {
      label: 'Grace (seconds)',
      hint: 'Time for load balancers to notice; after it, connections are closed. 0 = at once.',
      isRequired: true,
      minimum: 0,
      maximum: longestGrace,
      step: 0.001,
      initial: usualGrace,
    },
    choice: {
      label: 'Then close the app',
      hint: 'After the grace. This page is gone then, until the app is started again.',
    },
    run: async (api, { value = usualGrace, isChosen }) => {
      const { closesConnections } = await api.drainServer(Math.round(1000 * value), isChosen)
      const when = closesConnections ? 'now' : `in ${value} s`
      return `The server drains: /ready answers 503; connections are closed ${when}${isChosen ? ', then the app' : ''}.`
    },
  }
}

const takeBack: Intent = {
  label: 'Take server back',
  consequence:
    '/ready does not answer 503 for the drain any more, and connections are kept again. If the app was to be closed, that is called off.',
  run: async (api) => {
    await api.takeServerBack()
    return 'The server is ready again.'
  },
}

/** What an operator can do with the whole server, as it is now. */
export function serverIntent(server: ServerView): Intent {
  return server.state === 'drain' ? takeBack : drain(server)
}
