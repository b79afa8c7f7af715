import type { StateWord } from './state-word.ts'

/** A different shape for each, since not everybody can tell the colours apart. */
const shapes: Readonly<Record<StateWord, string>> = {
  healthy: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z',
  unhealthy: 'M3.2 1.5 1.5 3.2 4.3 6 1.5 8.8l1.7 1.7L6 7.7l2.8 2.8 1.7-1.7L7.7 6l2.8-2.8-1.7-1.7L6 4.3Z',
  draining: 'M1 2.5h10L6 10.5Z',
  maintenance: 'M1.5 1.5h3v9h-3ZM7.5 1.5h3v9h-3Z',
}

/** The symbol of a state; the word beside it says the same. */
export function StateSymbol({ word }: { readonly word: StateWord }) {
  return (
    <svg class="symbol" viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">
      <path d={shapes[word]} fill="currentColor" />
    </svg>
  )
}
