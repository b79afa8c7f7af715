import type { Fleet } from '../live/fleet.ts'
import { driftText } from './drift-text.ts'

/** Shown while an instance uses another list than the others. */
export function DriftAlert({ fleet }: { readonly fleet: Fleet }) {
  return (
    <p role="alert" class="alert bad">
      <strong>Drift</strong> {driftText(fleet)}
    </p>
  )
}
