// Room `head`: the head of the page: balancers, figures, alerts, the server.
import { count, mebibytes, percent, durationText } from '../figures-text.ts'
import { RestartButton } from '../instances/restart-button.tsx'
import type { Intent } from '../orders/intent.ts'
import type { Told } from '../orders/told.ts'
import { ServerButton } from './server-button.tsx'
import type { Connection, PageState } from '../live/state.ts'
import { ThemeButton } from './theme-button.tsx'
import type { ProcessFigures } from '../api/views.ts'

const words: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
}

/** Load of the server's process. */
function Process({ eventLoopDelay, eventLoopUtilized, heapUsed, rssBytes, shed }: ProcessFigures) {
  const figures = [
    ['Event loop delay', durationText(eventLoopDelay)],
    ['Event loop use', percent(eventLoopUtilized)],
    ['Heap', mebibytes(heapUsed)],
    ['Memory', mebibytes(rssBytes)],
    ...(shed === undefined ? [] : [['Shed', count(shed)]]),
  ]
  return (
    <dl class="process" aria-label="Process">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

interface HeadProps {
  readonly state: PageState
  readonly onChoose: (intent: Intent) => void
  readonly onTold: (told: Told) => void
}

/** The line at the top. */
export function Head({ state: { connection, process, server, access, fleet }, onChoose, onTold }: HeadProps) {
  const canAct = access === 'operator'
  return (
    <header class="head">
      <h1>fastify-balancer</h1>
      <p role="status" aria-label="Connection" class={`connection ${connection}`}>
        {words[connection]}
      </p>
      {/* With several, the table of instances has the load of each. */}
      {process !== undefined && fleet === undefined && <Process {...process} />}
      {fleet !== undefined && <RestartButton fleet={fleet} canAct={canAct} onChoose={onChoose} onTold={onTold} />}
      {server !== undefined && <ServerButton server={server} canAct={canAct} onChoose={onChoose} />}
      <ThemeButton />
    </header>
  )
}
