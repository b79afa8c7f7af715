import { mebibytes, percent, durationText } from './figures-text.ts'
import type { Connection, PageState } from './state.ts'
import { ThemeButton } from './theme-button.tsx'
import type { ProcessFigures } from './views.ts'

const words: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
}

/** How the server's own process is. */
function Process({ eventLoopDelay, eventLoopUtilized, heapUsed, rssBytes }: ProcessFigures) {
  const figures = [
    ['Loop delay', durationText(eventLoopDelay)],
    ['Loop use', percent(eventLoopUtilized)],
    ['Heap', mebibytes(heapUsed)],
    ['Memory', mebibytes(rssBytes)],
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

/** The line at the top. */
export function Head({ state: { connection, process } }: { readonly state: PageState }) {
  return (
    <header class="head">
      <h1>fastify-balancer</h1>
      <p role="status" aria-label="Connection" class={`connection ${connection}`}>
        {words[connection]}
      </p>
      {process !== undefined && <Process {...process} />}
      <ThemeButton />
    </header>
  )
}
