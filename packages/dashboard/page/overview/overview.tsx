// Room `overview`: all balancers at a glance, and how bad the state of each is.
import { useRef } from 'preact/hooks'
import { count, nothing, percent } from '../figures-text.ts'
import type { PageState } from '../live/state.ts'
import { isRefusing } from './condition.ts'
import { linesOf, type Line } from './lines.ts'
import { ToneSymbol } from './tone-symbol.tsx'

function Row({ line, onChoose }: { readonly line: Line; readonly onChoose: (name: string) => void }) {
  const { summary, now, errors, condition } = line
  const { name, policy, queue } = summary
  const waiting = now?.waiting ?? queue.waiting
  return (
    <tr class={condition.tone}>
      <th scope="row">
        <a
          href={`#${new URLSearchParams({ balancer: name })}`}
          onClick={(event) => {
            // With a modifier, it opens in another tab.
            if (event.ctrlKey || event.metaKey || event.shiftKey) return
            event.preventDefault()
            onChoose(name)
          }}
        >
          {name}
        </a>{' '}
        <small>{policy}</small>
      </th>
      <td class="condition">
        <ToneSymbol tone={condition.tone} />
        <span>{condition.text}</span>
      </td>
      <td data-label="Requests">
        {now === undefined ? nothing : count(now.requests / now.seconds)}
        <small>/s</small>
      </td>
      <td data-label="Errors" class={errors > 0 ? 'burns' : ''}>
        {now === undefined || now.requests === 0 ? nothing : percent(errors)}
      </td>
      <td data-label="Waiting" class={isRefusing(summary) ? 'burns' : ''}>
        {count(waiting)}
        <small> of {count(queue.max)}</small>
      </td>
      <td data-label="In flight">{count(now?.exchanges ?? summary.exchanges)}</td>
    </tr>
  )
}

function attentionText(troubled: number, all: number): string {
  if (troubled === 0) return `All ${all} are fine.`
  return `${troubled} of ${all} ${troubled === 1 ? 'needs' : 'need'} attention.`
}

/** No row moves away from under the pointer. */
function useSteady(lines: readonly Line[]) {
  const body = useRef<HTMLTableSectionElement>(null)
  const last = useRef<readonly string[]>([])
  const isHeld = body.current?.matches(':hover') === true
  const place = ({ summary }: Line) => last.current.indexOf(summary.name) + 1 || last.current.length + 1
  const shown = isHeld ? lines.toSorted((a, b) => place(a) - place(b)) : lines
  last.current = shown.map(({ summary }) => summary.name)
  return { body, shown }
}

interface OverviewProps {
  readonly state: PageState
  readonly onChoose: (name: string) => void
}

/** All balancers, one row each, the worst first. */
export function Overview({ state, onChoose }: OverviewProps) {
  const lines = linesOf(state)
  const { body, shown } = useSteady(lines)
  const troubled = lines.filter(({ condition }) => condition.tone !== 'good').length
  return (
    <section class="overview" aria-labelledby="overview">
      <div class="title">
        <h2 id="overview">Balancers</h2>
        <p>{attentionText(troubled, lines.length)}</p>
      </div>
      <table aria-label="Balancers">
        <thead>
          <tr>
            <th scope="col">Balancer</th>
            <th scope="col">State</th>
            <th scope="col">Requests</th>
            <th scope="col">Errors</th>
            <th scope="col">Waiting</th>
            <th scope="col">In flight</th>
          </tr>
        </thead>
        <tbody ref={body}>
          {shown.map((line) => (
            <Row key={line.summary.name} line={line} onChoose={onChoose} />
          ))}
        </tbody>
      </table>
    </section>
  )
}
