import { count, percent } from '../figures-text.ts'
import { statusClasses } from '../history/point.ts'
import type { Totals as Sums } from '../history/totals.ts'
import type { BalancerView } from '../api/views.ts'
import { queueText } from './queue-text.ts'

interface TotalsProps {
  readonly totals: Sums
  readonly view: BalancerView | undefined
}

interface SumProps {
  readonly name: string
  readonly text: string
  readonly isBad?: boolean
}

function Sum({ name, text, isBad = false }: SumProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? 'bad' : undefined}>{text}</dd>
    </div>
  )
}

function failedText({ failed, requests }: Sums): string {
  return failed === 0 ? '0' : `${count(failed)} (${percent(failed / requests)})`
}

/** How many requests there were in the range, and what became of them; and the queue now. */
export function Totals({ totals, view }: TotalsProps) {
  const { requests, failed, retries, responses } = totals
  return (
    <dl class="totals" aria-label="In all">
      <Sum name="Requests" text={count(requests)} />
      <Sum name="Failed" text={failedText(totals)} isBad={failed > 0} />
      {statusClasses.map((name) => (
        <Sum key={name} name={name} text={count(responses[name])} />
      ))}
      <Sum name="Retries" text={count(retries)} />
      {view !== undefined && <Sum name="Queue" text={queueText(view)} isBad={view.queue.refusingSince !== undefined} />}
    </dl>
  )
}
