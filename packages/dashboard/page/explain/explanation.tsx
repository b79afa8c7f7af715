import { count, nothing } from '../figures-text.ts'
import { detailsText } from './policy-details.ts'
import { verdictOf } from './verdict.ts'
import type { ExplanationView } from '../api/explanation-view.ts'

/** Which backend would be picked, and why not the others. */
export function Explanation({ answer }: { readonly answer: ExplanationView }) {
  const { picked, panicking, policy, backends } = answer
  const { name, ...basis } = policy
  const hasDetails = backends.some(({ details }) => details !== null)
  return (
    <section class="explanation" aria-label="Explanation">
      <p aria-live="polite">
        <strong>{picked === null ? 'No backend would be picked' : `Picked: ${picked}`}</strong>
        {panicking && ' (panic mode: health is ignored)'}
        <span class="policy">{[`Policy ${name}`, detailsText(basis)].filter((part) => part !== '').join('. ')}</span>
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="All backends">
        <table>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              <th scope="col">Reason</th>
              <th scope="col">Load</th>
              <th scope="col">Score</th>
              {hasDetails && <th scope="col">Details</th>}
            </tr>
          </thead>
          <tbody>
            {backends.map((backend) => (
              <tr key={backend.id} class={backend.id === picked ? 'picked' : ''}>
                <th scope="row" class="id">
                  {backend.id}
                </th>
                <td>{verdictOf(backend, answer)}</td>
                <td class="number">{count(backend.load)}</td>
                <td class="number">{backend.score === null ? nothing : count(backend.score)}</td>
                {hasDetails && <td>{backend.details === null ? nothing : detailsText(backend.details)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
