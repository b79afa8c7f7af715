import { stateWord } from './state-word.ts'
import type { BackendView } from '../api/views.ts'

/** Where all rows are seen at once, nobody needs to be told. */
const fewRows = 12

/** So many are named. */
const longestList = 10

interface OutOfUseProps {
  readonly backends: readonly BackendView[]
  readonly onFind: (id: string) => void
}

/** Names the backends of a long list that get nothing, wherever they are in it. */
export function OutOfUse({ backends, onFind }: OutOfUseProps) {
  const out = backends.filter((backend) => stateWord(backend) !== 'available')
  if (backends.length <= fewRows || out.length === 0) return null
  return (
    <p class="out">
      Out of use:{' '}
      {out.slice(0, longestList).map(({ id }) => (
        <button key={id} type="button" class="id" onClick={() => onFind(id)}>
          {id}
        </button>
      ))}
      {out.length > longestList && ` and ${out.length - longestList} more`}
    </p>
  )
}
