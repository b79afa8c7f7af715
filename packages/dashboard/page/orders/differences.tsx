import type { Difference } from './difference.ts'

interface PartProps {
  readonly sign: string
  readonly word: string
  readonly ids: readonly string[]
}

function Part({ sign, word, ids }: PartProps) {
  return (
    <>
      {ids.map((id) => (
        <li key={id} class={word}>
          <span class="sign" aria-hidden="true">
            {sign}
          </span>
          <span>
            <span class="word-of">{word}</span> <span class="id">{id}</span>
          </span>
        </li>
      ))}
    </>
  )
}

/** What is different between two lists, line by line. */
export function Differences({ difference: { added, removed, changed } }: { readonly difference: Difference }) {
  return (
    <ul class="differences">
      <Part sign="+" word="added" ids={added} />
      <Part sign="−" word="removed" ids={removed} />
      <Part sign="~" word="changed" ids={changed} />
    </ul>
  )
}
