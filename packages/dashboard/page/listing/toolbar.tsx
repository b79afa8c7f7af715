import { count } from '../figures-text.ts'
import { columns } from '../backends/columns.ts'
import { StateSymbol } from '../backends/state-symbol.tsx'
import type { StateWord } from '../backends/state-word.ts'
import { states, type Arrangement } from './arrangement.ts'

interface ToolbarProps {
  readonly arrangement: Arrangement
  /** Of those that the search finds. */
  readonly counts: Readonly<Record<StateWord, number>>
  /** Number of rows shown. */
  readonly shown: number
  /** Number of all backends. */
  readonly total: number
  readonly onChange: (change: Partial<Arrangement>) => void
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function Filters({ arrangement: { state }, counts, onChange }: ToolbarProps) {
  const all = states.reduce((sum, word) => sum + counts[word], 0)
  return (
    <div class="filters" role="group" aria-label="State">
      <button type="button" aria-pressed={state === undefined} onClick={() => onChange({ state: undefined })}>
        All <small>{count(all)}</small>
      </button>
      {states
        .filter((word) => counts[word] > 0 || word === state)
        .map((word) => (
          <button
            key={word}
            type="button"
            class={word}
            aria-pressed={state === word}
            onClick={() => onChange({ state: state === word ? undefined : word })}
          >
            <StateSymbol word={word} /> {capitalized(word)} <small>{count(counts[word])}</small>
          </button>
        ))}
    </div>
  )
}

/** Stands in for the headings where each row is a card. */
function SortBy({ arrangement: { sorting }, onChange }: ToolbarProps) {
  const sortings = columns
    .filter(({ value }) => value !== undefined)
    .map(({ key, name, isLargestFirst = false }) => ({ key, name, isDescending: isLargestFirst }))
  return (
    <label class="sort-by">
      Sort by{' '}
      <select
        value={sorting?.key ?? ''}
        onChange={({ currentTarget: { value } }) => onChange({ sorting: sortings.find(({ key }) => key === value) })}
      >
        <option value="">the list</option>
        {sortings.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Searches and filters the backends, and says how many are left. */
export function Toolbar(props: ToolbarProps) {
  const { arrangement, shown, total, onChange } = props
  return (
    <div class="toolbar">
      <input
        type="search"
        aria-label="Search backends"
        placeholder="Search id, URL, zone, tag"
        autocomplete="off"
        spellcheck={false}
        value={arrangement.search}
        onInput={({ currentTarget: { value } }) => onChange({ search: value })}
      />
      <Filters {...props} />
      <SortBy {...props} />
      <p role="status" aria-label="Shown" class="shown">
        {count(shown)} of {count(total)}
      </p>
    </div>
  )
}
