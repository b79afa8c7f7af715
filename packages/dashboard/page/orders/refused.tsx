import { Differences } from './differences.tsx'
import type { Refusal } from './refusal.ts'

/** Why an order was refused: every fault, and what has changed meanwhile. */
export function Refused({ refusal: { text, faults, meanwhile } }: { readonly refusal: Refusal }) {
  return (
    <div role="alert" class="refused">
      <p class="bad">{text}</p>
      {faults.length > 0 && (
        <ul class="faults">
          {faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      )}
      {meanwhile !== undefined && (
        <>
          <Differences difference={meanwhile} />
          <p>Confirm again to apply your change to the current list.</p>
        </>
      )}
    </div>
  )
}
