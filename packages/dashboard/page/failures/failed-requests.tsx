// Room `failures`: the last requests that failed, and how.
import { count, durationText, momentText, nothing } from '../figures-text.ts'
import { failuresIn } from '../history/outcomes.ts'
import { memo } from '../widgets/memo.ts'
import type { ByOutcome, FailedAttemptView, FailureView } from '../api/past-views.ts'

/** A whole response is named by its status; a failure by its reason, and the status if one had arrived. */
function outcomeText(outcome: string, status = 0): string {
  if (outcome === 'ok') return `status ${status}`
  return status === 0 ? outcome : `${outcome} (${status})`
}

function Attempt({ attempt }: { readonly attempt: FailedAttemptView }) {
  const { backend, outcome, status, took, hedge = false, error } = attempt
  return (
    <li title={error}>
      <span class="id">{backend}</span> {outcomeText(outcome, status)}{' '}
      <small>
        {hedge && 'hedge, '}
        {durationText(took)}
      </small>
    </li>
  )
}

interface FailureProps {
  readonly failure: FailureView
  /** Midnight of the day, in ms since the epoch. */
  readonly today: number
}

function FailureRow({ failure, today }: FailureProps) {
  const { at, method, path, status, outcome, blame, took, waited, attempts } = failure
  return (
    <tr role="row">
      <td role="cell" class="when">
        <time dateTime={new Date(at).toISOString()}>{momentText(at, today)}</time>
      </td>
      <td role="cell" class="asked">
        <span class="id">
          {method} {path}
        </span>
      </td>
      <td role="cell" class="status">
        {status > 0 ? status : nothing}
      </td>
      <td role="cell" class="outcome-of">
        {outcomeText(outcome, outcome === 'ok' ? status : 0)} <small>{blame}</small>
      </td>
      <td role="cell" class="attempts">
        {attempts.length === 0 ? (
          <span class="note">none</span>
        ) : (
          <ol>
            {attempts.map((attempt, index) => (
              <Attempt key={index} attempt={attempt} />
            ))}
          </ol>
        )}
      </td>
      <td role="cell" class="took">
        {durationText(took)}
        {waited !== undefined && <small> (waited {durationText(waited)})</small>}
      </td>
    </tr>
  )
}

const Failure = memo(FailureRow)

const columns = [
  ['when', 'Time'],
  ['asked', 'Request'],
  ['status', 'Status'],
  ['outcome-of', 'Reason'],
  ['attempts', 'Attempts'],
  ['took', 'Took'],
] as const

function Reasons({ outcomes }: { readonly outcomes: ByOutcome }) {
  const reasons = failuresIn(outcomes)
  if (reasons.length === 0) return null
  return <p>since the start: {reasons.map(([reason, times]) => `${count(times)} ${reason}`).join(', ')}</p>
}

interface FailedRequestsProps {
  /** The newest first; undefined until loaded. */
  readonly failures: readonly FailureView[] | undefined
  /** Requests by outcome, since the start. */
  readonly outcomes: ByOutcome | undefined
  /** In ms since the epoch. */
  readonly at: number
}

/** The last requests that failed, with their attempts. */
export function FailedRequests({ failures, outcomes = {}, at }: FailedRequestsProps) {
  const today = new Date(at).setHours(0, 0, 0, 0)
  return (
    <section class="failures" aria-labelledby="failures">
      <div class="title">
        <h2 id="failures">Failed requests</h2>
        <Reasons outcomes={outcomes} />
      </div>
      {failures === undefined || failures.length === 0 ? (
        <p class="note">
          {failures === undefined ? 'Loading …' : 'No request has failed since the server was started.'}
        </p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Last failed requests">
          <table role="table" aria-label="Failed requests">
            <thead role="rowgroup">
              <tr role="row">
                {columns.map(([name, heading]) => (
                  <th key={name} role="columnheader" scope="col" class={name}>
                    {heading}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {failures.map((failure) => (
                <Failure
                  key={`${failure.at} ${failure.method} ${failure.path} ${failure.took}`}
                  failure={failure}
                  today={today}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
