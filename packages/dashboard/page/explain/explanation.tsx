import { count, nothing } from '../figures-text.ts'
import { verdictOf } from './verdict.ts'
import type { ExplanationView } from '../api/views.ts'

/** Which backend would be picked, and why not the others. */
export function Explanation({ answer }: { readonly answer: ExplanationView }) {
  const { picked, panicking, backends } = answer
  return (
    <section class="explanation" aria-label="Explanation">
      <p aria-live="polite">
        <strong>{picked === null ? 'No backend would be picked' : `Picked: ${picked}`}</strong>
        {panicking && ' (panic mode: health is ignored)'}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="All backends">
        <table>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              <th scope="col">Reason</th>
              <th scope="col">Load</th>
              <th scope="col">Score</th>
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
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
