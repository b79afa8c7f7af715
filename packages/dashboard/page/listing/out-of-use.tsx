import { stateWord } from '../backends/state-word.ts'
import type { BackendView } from '../api/views.ts'

/** With so few rows, all are visible anyway. */
export const fewRows = 12

/** At most this many are named. */
const longestList = 10

interface OutOfUseProps {
  readonly backends: readonly BackendView[]
  readonly onFind: (id: string) => void
}

/** Names the backends of a long list that are not in rotation. */
export function OutOfUse({ backends, onFind }: OutOfUseProps) {
  const out = backends.filter((backend) => stateWord(backend) !== 'healthy')
  if (backends.length <= fewRows || out.length === 0) return null
  return (
    <p class="out">
      Not in rotation:{' '}
      {out.slice(0, longestList).map(({ id }) => (
        <button key={id} type="button" class="id" onClick={() => onFind(id)}>
          {id}
        </button>
      ))}
      {out.length > longestList && ` and ${out.length - longestList} more`}
    </p>
  )
}
