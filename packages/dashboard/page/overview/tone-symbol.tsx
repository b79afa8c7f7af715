import type { Tone } from './condition.ts'

/** A different shape for each, since not everybody can tell the colours apart. */
const shapes: Readonly<Record<Tone, string>> = {
  good: 'M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9Z',
  warn: 'M6 1 11.5 10.5H.5Z',
  bad: 'M1.5 1.5h9v9h-9Z',
}

/** How bad it is; the words beside it say more. */
export function ToneSymbol({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`symbol ${tone}`} viewBox="0 0 12 12" width="9" height="9" aria-hidden="true">
      <path d={shapes[tone]} fill="currentColor" />
    </svg>
  )
}
